
/*
 * Copyright (C) order guard contributors
 *
 * Names of statuses.  Pure: no library.
 */


#ifndef OG_STATUS_H_INCLUDED_
#define OG_STATUS_H_INCLUDED_


/*
 * Reason phrase of a status (RFC 9110, IANA HTTP Status Code Registry; nginx's
 * own 494 to 499 by what they mean), "Error" if unknown.  Static.
 */
const char *og_status_reason(unsigned status);


/*
 * The reason phrase as a code: 404 is NOT_FOUND, 422 UNPROCESSABLE_CONTENT,
 * an unknown status ERROR.  Static.
 */
const char *og_status_code_name(unsigned status);


/*
 * Name of a google.rpc.Code (3: INVALID_ARGUMENT), provided that status is the
 * one that gRPC-gateway gives an error of that code; else NULL.  Static.
 */
const char *og_status_grpc_name(unsigned code, unsigned status);


#endif /* OG_STATUS_H_INCLUDED_ */
