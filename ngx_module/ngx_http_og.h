
/*
 * Copyright (C) order guard contributors
 */


#ifndef NGX_HTTP_OG_H_INCLUDED_
#define NGX_HTTP_OG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_og_ctx.h"
#include "og_json.h"


/* A bit of r->buffered that no filter of nginx's core uses for itself. */
#define NGX_HTTP_OG_BUFFERED        0x08

/* Beyond this an upstream's error body is not read for its message. */
#define NGX_HTTP_OG_ERROR_LIMIT     65536


extern ngx_module_t  ngx_http_order_guard_module;


/* ngx_http_og_handler.c: request control */

/* The PRECONTENT handler. */
ngx_int_t ngx_http_og_handler(ngx_http_request_t *r);

/* Asks the store once more, for a request that waits. */
void ngx_http_og_ask_again(ngx_event_t *ev);

/* Has the request pass when the handler goes on with it. */
void ngx_http_og_pass(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);

/* Has the request refused when the handler goes on with it. */
void ngx_http_og_refuse(ngx_http_og_ctx_t *ctx, ngx_http_og_error_e error);

/* Goes on with the answer's delivery; the store's reply to complete. */
void ngx_http_og_stored(ngx_http_og_op_t *op);


/* ngx_http_og_verdict.c */

/* Sets ctx->state by op->verdict, and what the variables say. */
void ngx_http_og_take_verdict(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);


/* ngx_http_og_ctx.c */

/*
 * The request's context, also after an internal redirect took it from the
 * request; NULL where the guard has not met the request.
 */
ngx_http_og_ctx_t *ngx_http_og_get_ctx(ngx_http_request_t *r);

/* Creates the context; conf is that of the admitting location. */
ngx_http_og_ctx_t *ngx_http_og_create_ctx(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *conf);


/* ngx_http_og_filter.c: the answer on its way to the client */

ngx_int_t ngx_http_og_header_filter(ngx_http_request_t *r);
ngx_int_t ngx_http_og_body_filter(ngx_http_request_t *r, ngx_chain_t *in);

extern ngx_http_output_header_filter_pt  ngx_http_og_next_header_filter;
extern ngx_http_output_body_filter_pt    ngx_http_og_next_body_filter;


/* ngx_http_og_answer.c: what an answer becomes, and its last step out */

/*
 * Answers with an error in place of a held answer that is not whole: its
 * outcome is unknown from now on.
 */
ngx_int_t ngx_http_og_cut_short(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* The same without sending: status, headers and ctx->content are set. */
ngx_int_t ngx_http_og_set_broken(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Makes ctx->content, an upstream's error, a problem. */
ngx_int_t ngx_http_og_normalise(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Whether the answer has a Content-Encoding. */
ngx_uint_t ngx_http_og_is_encoded(ngx_http_request_t *r);

/* Whether the answer says that it is JSON, and is not encoded. */
ngx_uint_t ngx_http_og_is_json(ngx_http_request_t *r);

/* Makes an envelope for the response's status, as rendering it does. */
ngx_int_t ngx_http_og_set_envelope(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *upstream_body);

/* Adds the headers of an error of the gateway's; restores keepalive. */
ngx_int_t ngx_http_og_add_error_headers(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Adds WWW-Authenticate and Retry-After where the refusal has them. */
ngx_int_t ngx_http_og_add_advice(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Sends the header with what the guard adds to every answer. */
ngx_int_t ngx_http_og_send_header(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Sends a held header, and ctx->content as the whole body. */
ngx_int_t ngx_http_og_send_content(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Sends ctx->content as the whole body. */
ngx_int_t ngx_http_og_send_body(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* ngx_http_og_gather.c: an answer that is held until it is whole */

/* Takes what an upstream sends; sends the answer on when it is whole. */
ngx_int_t ngx_http_og_gather(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t *in);

/* Passes on an answer that is too large to be held. */
ngx_int_t ngx_http_og_stream(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_chain_t *in);

/* Ends it: its last byte leaves. */
ngx_int_t ngx_http_og_end_stream(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Whether what was gathered is an error beyond NGX_HTTP_OG_ERROR_LIMIT. */
ngx_uint_t ngx_http_og_is_too_large(ngx_http_og_ctx_t *ctx);

/* Marks a buffer as sent. */
void ngx_http_og_consume(ngx_buf_t *b);


/* ngx_http_og_record.c: what is stored of an answer, and its replay */

/*
 * Ends the claim with the answer as it is about to leave: ctx->content and
 * the headers of r->headers_out.  NGX_OK, or NGX_AGAIN when the store will
 * call ngx_http_og_stored().
 */
ngx_int_t ngx_http_og_store_answer(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* The same with a record that keeps the status only. */
ngx_int_t ngx_http_og_store_tombstone(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Ends the claim, if there is one: sent, and no whole answer came. */
void ngx_http_og_store_unknown(ngx_http_og_ctx_t *ctx);

/*
 * Ends the claim of a request that got no whole answer: released when no
 * byte of it left, else its outcome is unknown.
 */
void ngx_http_og_settle(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);

/* Sends the answer of op->record; the status of ngx_http_output_filter(). */
ngx_int_t ngx_http_og_replay(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);


/* ngx_http_og_wait.c: duplicates that wait for a running request */

/*
 * Has handler called in a while, with the context as its data, to ask the
 * store again.  0 where the request must not wait, or has waited enough.
 */
ngx_uint_t ngx_http_og_start_waiting(ngx_http_og_ctx_t *ctx,
    ngx_event_handler_pt handler);

/*
 * The claim of op has ended: who waits for it in this worker asks at once.
 * Those of other workers and hosts ask when their time has come.
 */
void ngx_http_og_wake_waiters(ngx_http_og_op_t *op);

/* The request waits no longer, if it did. */
void ngx_http_og_stop_waiting(ngx_http_og_ctx_t *ctx);


/* ngx_http_og_page.c: pages of the operator's */

/* Notes a redirect to one, in both rewrite phases. */
ngx_int_t ngx_http_og_page_handler(ngx_http_request_t *r);

/* Notes how far one has come: access control, and the content phase. */
ngx_int_t ngx_http_og_page_access_handler(ngx_http_request_t *r);
void ngx_http_og_page_reached(ngx_http_request_t *r);

/* Whether the answer is one. */
ngx_uint_t ngx_http_og_is_page(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* ngx_http_og_dispatch.c: a request on its way to the upstream */

/* Takes off the headers that an upstream must not see. */
ngx_int_t ngx_http_og_hide_headers(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/*
 * Has the location's content handler called through the guard, which notes
 * that it ran and keeps the upstream to one order.
 */
void ngx_http_og_watch_dispatch(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* ngx_http_og_wire.c: what left for the upstream, and what came back */

/* Whether a byte of the request can have left, on any attempt. */
ngx_uint_t ngx_http_og_was_sent(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/*
 * Whether a request that ends has used what was counted for it: it was sent,
 * or served without an upstream.
 */
ngx_uint_t ngx_http_og_is_spent(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/*
 * Status of the last attempt's answer, 0 where it had none; without an
 * upstream that of the error that nginx made.
 */
ngx_uint_t ngx_http_og_last_status(ngx_http_request_t *r);

/* Whether the upstream's answer was to end with its connection. */
ngx_uint_t ngx_http_og_close_delimited(ngx_http_request_t *r);


/* ngx_http_og_errors.c: errors of the guard's own */

/* What the table says of one; texts are NUL-terminated and static. */
const ngx_http_og_error_t *ngx_http_og_error(ngx_http_og_error_e error);

/* HTTP status of an error of the guard's own. */
ngx_uint_t ngx_http_og_error_status(ngx_http_og_error_e error);

/* The code of an error of the guard's own, NUL-terminated. */
const char *ngx_http_og_error_code(ngx_http_og_error_e error);

/* The error that nginx's own status stands for, in a guarded request. */
ngx_http_og_error_e ngx_http_og_error_of_status(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_uint_t status);


/* ngx_http_og_problem.c: what an error says */

/*
 * Renders the envelope of the response in r->headers_out.status, a problem
 * document or what the format makes of it, for
 * ctx->error, nginx's own error, or the upstream's error whose body is given
 * (empty: not readable).  NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_og_render_envelope(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_str_t *upstream_body, ngx_str_t *text);

/*
 * Notes the code of an error that leaves as it is, for
 * $order_guard_error_code.  NGX_OK, or NGX_ERROR when memory is short.
 */
ngx_int_t ngx_http_og_note_code(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_str_t *body);

/* Moves a malloc'ed text to the request's pool.  NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_og_take_text(ngx_http_request_t *r, char *text,
    size_t len, ngx_str_t *dst);

/*
 * Logs ctx->content, an upstream's error that is not shown: bounded, escaped,
 * without the caller's token and key.
 */
void ngx_http_og_log_hidden(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_problem_t *problem);


/* ngx_http_og_method.c */

/* Whether the request's body is policed and its key enforced. */
ngx_uint_t ngx_http_og_is_guarded(ngx_http_request_t *r,
    ngx_http_og_loc_conf_t *olcf);

/* Whether a method of this name, in upper case, is guarded by itself. */
ngx_uint_t ngx_http_og_method_is_guarded(ngx_http_og_loc_conf_t *olcf,
    const ngx_str_t *name);


/* ngx_http_og_body.c: the request's body in and out */

/*
 * Whether the headers describe a body that the guard understands, into
 * ctx->media.  Where they do not and a rule needs the body, ctx->error is set;
 * where none does, ctx->policed is cleared.  NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_http_og_check_body_headers(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/* Counts what a client sends, so that no body beyond the limit is kept. */
ngx_int_t ngx_http_og_request_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);

extern ngx_http_request_body_filter_pt  ngx_http_og_next_request_body_filter;

/* Lower case; ends with an empty one. */
extern const ngx_str_t  ngx_http_og_digest_headers[];

/* Whether a body of ctx->media can be policed. */
ngx_uint_t ngx_http_og_is_policeable(ngx_http_og_ctx_t *ctx);

/*
 * Whether what the client still sends of its body, if anything, does not
 * stand in the way of another request on the connection.
 */
ngx_uint_t ngx_http_og_body_is_done(ngx_http_request_t *r);

/* Whether the client announced a body that is not empty. */
ngx_uint_t ngx_http_og_has_body(ngx_http_request_t *r);

/* Size of a body in memory and files, in bytes. */
off_t ngx_http_og_body_size(ngx_chain_t *in);

/* The body that nginx has read, in one piece.  NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_og_collect_body(ngx_http_request_t *r, ngx_str_t *body);

/*
 * Makes body, which lives as long as r, the one that is sent upstream, and
 * drops the headers that told of its bytes.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_install_body(ngx_http_request_t *r, ngx_str_t *body);


/* ngx_http_og_police.c: the rules for fields at work */

/*
 * Validates and cuts the body that nginx has read, and the query string, by
 * the rules of conf, writes what the gateway sets, and installs what is left.
 * NGX_OK, NGX_DECLINED (ctx->error) or NGX_ERROR.
 */
ngx_int_t ngx_http_og_police(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_loc_conf_t *conf);

/* The same for the body alone. */
ngx_int_t ngx_http_og_police_body(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf);

/* What a scan means for the request; as ngx_http_og_police(). */
ngx_int_t ngx_http_og_judge_fields(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result);

/* Adds the pointers of a scan's cuts to ctx->stripped, and logs them. */
ngx_int_t ngx_http_og_add_stripped(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result);

/*
 * Refuses what cannot be read in one way only: NGX_DECLINED.  text lives as
 * long as the request.
 */
ngx_int_t ngx_http_og_malformed(ngx_http_og_ctx_t *ctx, const char *text);

/* The scanner of this worker; made at its first use, NULL: no memory. */
og_scanner_t *ngx_http_og_scanner(void);

void ngx_http_og_free_scanner(void);


/* ngx_http_og_canonical.c */

/*
 * Sets ctx->canonical by what a scan of body found, when ctx->body is what is
 * left of it.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_canonicalise(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, const og_body_result_t *result, ngx_str_t *body);

void ngx_http_og_free_json_order(void);


/* ngx_http_og_query.c */

/*
 * The same as ngx_http_og_police() for the query string: r->args, and what a
 * proxy_pass without URI forwards.  append: fields that the gateway sets are
 * added to it.
 */
ngx_int_t ngx_http_og_police_query(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf, ngx_uint_t append);

/* Whether a redirect may have made fields of the path that was policed. */
ngx_uint_t ngx_http_og_path_became_query(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* ngx_http_og_set.c */

/*
 * Evaluates the fields that the gateway sets, into an array of og_set_t with
 * a set for each rule, or an empty one where nothing is to be written.
 * NGX_ERROR also where a value is none of its type.
 */
ngx_int_t ngx_http_og_evaluate_sets(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx, ngx_http_og_loc_conf_t *conf, ngx_array_t *sets);

/* Copies what is kept of a body, with room for sets.  NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_og_copy_for_sets(ngx_http_request_t *r, ngx_str_t *kept,
    ngx_array_t *sets, ngx_str_t *copy);

/* A set that has no place in the request is the client's fault. */
ngx_int_t ngx_http_og_no_place(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    const og_set_t *set);


/* ngx_http_og_signature.c */

/*
 * Whether a signature (RFC 9421) covers the body's bytes, or the query, and
 * breaks when they change.
 */
ngx_uint_t ngx_http_og_body_is_signed(ngx_http_request_t *r);
ngx_uint_t ngx_http_og_query_is_signed(ngx_http_request_t *r);


/* ngx_http_og_identity.c: caller, key, fingerprint */

/* Reads token or address into ctx->caller.  As check_body_headers(). */
ngx_int_t ngx_http_og_identify(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);

/* Reads the idempotency key into ctx->key.  As check_body_headers(). */
ngx_int_t ngx_http_og_read_key(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);

/* The token of "Authorization: Bearer", empty where there is none. */
void ngx_http_og_bearer(ngx_http_request_t *r, ngx_str_t *token);


/* ngx_http_og_digest.c */

/* The digest of this worker. */
ngx_int_t ngx_http_og_init_digest(void);
void ngx_http_og_free_digest(void);

/*
 * SHA-256 over a list of parts, each with its length in front: no two lists
 * have one digest, of NGX_HTTP_OG_DIGEST_SIZE bytes.  One at a time.
 */
void ngx_http_og_digest_begin(void);
void ngx_http_og_digest_add(ngx_str_t *part);
void ngx_http_og_digest_end(u_char *digest);


/* ngx_http_og_op.c: what is asked of a store */

/*
 * Fills in what the operation asks the store: the record's names and
 * fingerprints where ctx->keyed, and the quotas.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_fill_op(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_og_op_t *op);


/* ngx_http_og_limit.c: limits beside their store */

/* Sets op->denied and op->near by what this host knows of the quotas. */
void ngx_http_og_check_denied(ngx_http_og_ctx_t *ctx);

/*
 * Notes what the store has said, for the next ones and for when it is away.
 * NGX_OK, or NGX_DECLINED when this host has let through so much by itself
 * that a quota has no room: what the store has admitted is to be released.
 */
ngx_int_t ngx_http_og_note_limits(ngx_http_og_ctx_t *ctx);

/*
 * The same for quotas that were judged before the store failed, when the
 * request goes on.
 */
ngx_int_t ngx_http_og_note_judged(ngx_http_og_ctx_t *ctx);

/*
 * Counts what the store could not: NGX_OK, or NGX_DECLINED when a quota has no
 * room; then nothing is counted.
 */
ngx_int_t ngx_http_og_count_locally(ngx_http_og_ctx_t *ctx);

/* Gives back what this host has counted for ctx->op. */
void ngx_http_og_back_units(ngx_http_og_ctx_t *ctx);

/*
 * A redirect leads to a location that asks by itself: ctx->op is kept, so that
 * nothing is counted twice.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_keep_counted(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);

/*
 * The request ends: units go back where nothing was sent, and all operations
 * but ctx->op are closed.
 */
void ngx_http_og_end_counted(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx);


/* ngx_http_og_name.c: what stands in a store for callers and keys */

ngx_http_og_secrets_t *ngx_http_og_secrets(ngx_http_request_t *r);

/*
 * The name of what has this digest, under a secret or (NULL) without one;
 * both have NGX_HTTP_OG_DIGEST_SIZE bytes.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_name(og_secret_t *secret, const u_char *digest,
    u_char *name);

/*
 * The same for who owns counters.  While secrets change, all hosts but those
 * that have done with it count under the former one.
 */
ngx_int_t ngx_http_og_name_owner(ngx_http_og_secrets_t *secrets,
    const u_char *digest, u_char *name);

/*
 * Names a record by the digests of its caller, of what it is looked up by,
 * and of the request.  The key is allocated in pool.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_name_record(ngx_pool_t *pool, og_secret_t *secret,
    const u_char *caller, const u_char *record, const u_char *fingerprint,
    ngx_http_og_name_t *name);

/* The digest of what a record is looked up by. */
void ngx_http_og_digest_record(ngx_str_t *scope, ngx_str_t *method,
    ngx_str_t *uri, ngx_str_t *key, u_char *digest);

/*
 * What a record with this digest is called in a store, behind its prefix, for
 * a caller with this id (NGX_HTTP_OG_ID_LEN digits): {id}:i:digits.  The key
 * is allocated in pool.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_og_record_key(ngx_pool_t *pool, og_secret_t *secret,
    const u_char *id, const u_char *digest, ngx_str_t *key);


/* ngx_http_og_headers.c: header lists */

/*
 * Walks a list of headers: part begins as the address of its first part, i as
 * 0.  Returns the next element, dropped ones (hash 0) too, or NULL.
 */
ngx_table_elt_t *ngx_http_og_next_header(ngx_list_part_t **part,
    ngx_uint_t *i);

/* Has variables that repeat what the client sent made anew. */
void ngx_http_og_forget_variables(ngx_http_request_t *r);

/* Length of the media type at the front of a Content-Type value. */
size_t ngx_http_og_media_type_length(ngx_str_t *value);

/*
 * How many lines of this name (lower case; a "_" counts as "-") the request
 * has; *first: the first.
 */
ngx_uint_t ngx_http_og_count_headers(ngx_http_request_t *r,
    const ngx_str_t *name,
    ngx_table_elt_t **first);

/* Takes all lines of these names off the request.  NULL-terminated list. */
ngx_int_t ngx_http_og_remove_headers(ngx_http_request_t *r,
    const ngx_str_t *names);

/* Adds a response header; name and value must live as long as r. */
ngx_table_elt_t *ngx_http_og_add_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);

/* Sets the status line where nginx knows no reason phrase for the status. */
ngx_int_t ngx_http_og_set_status_line(ngx_http_request_t *r);

/* Drops what described a body that is being replaced. */
void ngx_http_og_clear_body_headers(ngx_http_request_t *r);

/* Drops digests of a body that changes by a few bytes. */
void ngx_http_og_clear_digests(ngx_http_request_t *r);

/* Drops what told of an outcome, when the answer turns out not to be whole. */
void ngx_http_og_clear_answer_headers(ngx_http_request_t *r);


/* ngx_http_og_limit_headers.c */

/* Tells of the quotas, in the headers of order_guard_limit_headers. */
ngx_int_t ngx_http_og_add_limit_headers(ngx_http_request_t *r,
    ngx_http_og_ctx_t *ctx);


/* ngx_http_og_conf.c: directives */

extern ngx_command_t  ngx_http_og_commands[];

ngx_uint_t ngx_http_og_status_in(ngx_http_og_statuses_t *set,
    ngx_uint_t status);
void ngx_http_og_status_add(ngx_http_og_statuses_t *set, ngx_uint_t status);


/* Shared memory, where a location has limits. */
ngx_int_t ngx_http_og_add_zone(ngx_conf_t *cf);


/* ngx_http_og_merge.c: configuration of a level from those above it */

/* An operator's requests are no orders: the guard does not look at them. */
#define ngx_http_og_is_on(conf)                                               \
    ((conf)->enable && (conf)->records_store == NULL)

#define ngx_http_og_enforces(conf)                                            \
    ((conf)->idempotency != NULL                                              \
     && (conf)->idempotency->enforcement != NGX_HTTP_OG_IDEMPOTENCY_OFF)

void *ngx_http_og_create_main_conf(ngx_conf_t *cf);
void *ngx_http_og_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_og_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);


/* ngx_http_og_variables.c */

/*
 * Evaluates text with variables.  NGX_ERROR also where memory was short for a
 * variable of the guard's own, which nginx takes for an empty one: a key
 * without it would be another key.
 */
ngx_int_t ngx_http_og_evaluate(ngx_http_request_t *r, ngx_http_og_ctx_t *ctx,
    ngx_http_complex_value_t *text, ngx_str_t *value);

ngx_int_t ngx_http_og_add_variables(ngx_conf_t *cf);

/* Looks up the variables that repeat header lines, to have them made anew. */
ngx_int_t ngx_http_og_find_variables(ngx_conf_t *cf);


#endif /* NGX_HTTP_OG_H_INCLUDED_ */
