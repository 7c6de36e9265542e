
/*
 * Copyright (C) order guard contributors
 *
 * The IANA HTTP Status Code Registry as a table.
 */


#include <stddef.h>

#include "og_status.h"


typedef struct {
    unsigned              status;
    const char           *reason;
    const char           *code;
} og_status_t;


static const og_status_t *og_status_find(unsigned status);


/* 494 to 499 are nginx's own. */

static const og_status_t  og_statuses[] = {
    { 100, "Continue", "CONTINUE" },
    { 101, "Switching Protocols", "SWITCHING_PROTOCOLS" },
    { 102, "Processing", "PROCESSING" },
    { 103, "Early Hints", "EARLY_HINTS" },
    { 200, "OK", "OK" },
    { 201, "Created", "CREATED" },
    { 202, "Accepted", "ACCEPTED" },
    { 203, "Non-Authoritative Information", "NON_AUTHORITATIVE_INFORMATION" },
    { 204, "No Content", "NO_CONTENT" },
    { 205, "Reset Content", "RESET_CONTENT" },
    { 206, "Partial Content", "PARTIAL_CONTENT" },
    { 207, "Multi-Status", "MULTI_STATUS" },
    { 208, "Already Reported", "ALREADY_REPORTED" },
    { 226, "IM Used", "IM_USED" },
    { 300, "Multiple Choices", "MULTIPLE_CHOICES" },
    { 301, "Moved Permanently", "MOVED_PERMANENTLY" },
    { 302, "Found", "FOUND" },
    { 303, "See Other", "SEE_OTHER" },
    { 304, "Not Modified", "NOT_MODIFIED" },
    { 305, "Use Proxy", "USE_PROXY" },
    { 307, "Temporary Redirect", "TEMPORARY_REDIRECT" },
    { 308, "Permanent Redirect", "PERMANENT_REDIRECT" },
    { 400, "Bad Request", "BAD_REQUEST" },
    { 401, "Unauthorized", "UNAUTHORIZED" },
    { 402, "Payment Required", "PAYMENT_REQUIRED" },
    { 403, "Forbidden", "FORBIDDEN" },
    { 404, "Not Found", "NOT_FOUND" },
    { 405, "Method Not Allowed", "METHOD_NOT_ALLOWED" },
    { 406, "Not Acceptable", "NOT_ACCEPTABLE" },
    { 407, "Proxy Authentication Required", "PROXY_AUTHENTICATION_REQUIRED" },
    { 408, "Request Timeout", "REQUEST_TIMEOUT" },
    { 409, "Conflict", "CONFLICT" },
    { 410, "Gone", "GONE" },
    { 411, "Length Required", "LENGTH_REQUIRED" },
    { 412, "Precondition Failed", "PRECONDITION_FAILED" },
    { 413, "Content Too Large", "CONTENT_TOO_LARGE" },
    { 414, "URI Too Long", "URI_TOO_LONG" },
    { 415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE" },
    { 416, "Range Not Satisfiable", "RANGE_NOT_SATISFIABLE" },
    { 417, "Expectation Failed", "EXPECTATION_FAILED" },
    { 421, "Misdirected Request", "MISDIRECTED_REQUEST" },
    { 422, "Unprocessable Content", "UNPROCESSABLE_CONTENT" },
    { 423, "Locked", "LOCKED" },
    { 424, "Failed Dependency", "FAILED_DEPENDENCY" },
    { 425, "Too Early", "TOO_EARLY" },
    { 426, "Upgrade Required", "UPGRADE_REQUIRED" },
    { 428, "Precondition Required", "PRECONDITION_REQUIRED" },
    { 429, "Too Many Requests", "TOO_MANY_REQUESTS" },
    { 431, "Request Header Fields Too Large",
           "REQUEST_HEADER_FIELDS_TOO_LARGE" },
    { 451, "Unavailable For Legal Reasons", "UNAVAILABLE_FOR_LEGAL_REASONS" },
    { 494, "Request Header Fields Too Large",
           "REQUEST_HEADER_FIELDS_TOO_LARGE" },
    { 495, "Client Certificate Error", "CLIENT_CERTIFICATE_ERROR" },
    { 496, "Client Certificate Required", "CLIENT_CERTIFICATE_REQUIRED" },
    { 497, "HTTP Request Sent To HTTPS Port",
           "HTTP_REQUEST_SENT_TO_HTTPS_PORT" },
    { 499, "Client Closed Request", "CLIENT_CLOSED_REQUEST" },
    { 500, "Internal Server Error", "INTERNAL_SERVER_ERROR" },
    { 501, "Not Implemented", "NOT_IMPLEMENTED" },
    { 502, "Bad Gateway", "BAD_GATEWAY" },
    { 503, "Service Unavailable", "SERVICE_UNAVAILABLE" },
    { 504, "Gateway Timeout", "GATEWAY_TIMEOUT" },
    { 505, "HTTP Version Not Supported", "HTTP_VERSION_NOT_SUPPORTED" },
    { 506, "Variant Also Negotiates", "VARIANT_ALSO_NEGOTIATES" },
    { 507, "Insufficient Storage", "INSUFFICIENT_STORAGE" },
    { 508, "Loop Detected", "LOOP_DETECTED" },
    { 510, "Not Extended", "NOT_EXTENDED" },
    { 511, "Network Authentication Required",
           "NETWORK_AUTHENTICATION_REQUIRED" },
    { 0, "Error", "ERROR" }
};


/* By google.rpc.Code; the statuses are gRPC-gateway's. */

static const struct {
    unsigned              status;
    const char           *name;
} og_grpc_statuses[] = {
    { 200, "OK" },
    { 499, "CANCELLED" },
    { 500, "UNKNOWN" },
    { 400, "INVALID_ARGUMENT" },
    { 504, "DEADLINE_EXCEEDED" },
    { 404, "NOT_FOUND" },
    { 409, "ALREADY_EXISTS" },
    { 403, "PERMISSION_DENIED" },
    { 429, "RESOURCE_EXHAUSTED" },
    { 400, "FAILED_PRECONDITION" },
    { 409, "ABORTED" },
    { 400, "OUT_OF_RANGE" },
    { 501, "UNIMPLEMENTED" },
    { 500, "INTERNAL" },
    { 503, "UNAVAILABLE" },
    { 500, "DATA_LOSS" },
    { 401, "UNAUTHENTICATED" }
};


const char *
og_status_reason(unsigned status)
{
    return og_status_find(status)->reason;
}


const char *
og_status_code_name(unsigned status)
{
    return og_status_find(status)->code;
}


const char *
og_status_grpc_name(unsigned code, unsigned status)
{
    if (code >= sizeof(og_grpc_statuses) / sizeof(og_grpc_statuses[0])
        || og_grpc_statuses[code].status != status)
    {
        return NULL;
    }

    return og_grpc_statuses[code].name;
}


static const og_status_t *
og_status_find(unsigned status)
{
    const og_status_t  *row;

    for (row = og_statuses; row->status; row++) {
        if (row->status == status) {
            break;
        }
    }

    return row;
}
