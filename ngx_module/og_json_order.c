
/*
 * Copyright (C) order guard contributors
 *
 * The pass goes from mark to mark (braces, brackets, commas) and keeps the
 * members of the objects that are open on a stack.  When an object closes and
 * all in it is in order, its members are forgotten.  Where that is not so the
 * text is taken apart: it becomes a list of pieces, in which the members of
 * that object follow each other in their order, each with what has become of
 * the objects in it.  Only the list changes as outer objects close: bytes are
 * copied once, in the end, however deep they lie.
 *
 * A member begins with the brace or comma in front of it and ends where the
 * next one does.  Thus the pieces of an object have its length, and all that
 * is written anew is the first byte of each.
 */


#include <stdlib.h>
#include <string.h>

#include "og_grow.h"
#include "og_json_block.h"
#include "og_json_order.h"
#include "og_json_sort.h"


/* As many bytes are copied of a short piece, with what is behind it. */
#define OG_JSON_PIECE_SHORT  32


/* An object or array that is open, or the document. */
typedef struct {
    uint32_t              first;      /* member of it */
    unsigned char         close;      /* "}", "]", or 0 for the document */
    unsigned char         changes;    /* something in it is out of order */
} og_json_level_t;


/* Bytes of the text that stay together.  Piece 0 is none. */
typedef struct {
    uint32_t              start;
    uint32_t              end;
    uint32_t              next;       /* that follows, in order */
    uint32_t              byte;       /* that replaces the first one */
} og_json_piece_t;


struct og_json_order_s {
    const unsigned char  *data;
    size_t                len;

    og_json_level_t      *levels;     /* the document is at the bottom */
    size_t                depth;
    size_t                levels_alloc;

    og_json_member_t     *members;    /* of open objects; what is around all
                                         of them is the one at the bottom */
    size_t                nmembers;
    size_t                members_alloc;

    og_json_piece_t      *pieces;
    size_t                npieces;
    size_t                pieces_alloc;
    uint32_t              head;       /* first piece; 0: all is in order */

    og_json_sort_t        sort;
};


/* Of the pass, what is at hand: in registers. */
typedef struct {
    const unsigned char  *data;
    size_t                len;
    og_json_level_t      *level;      /* the innermost */
    og_json_member_t     *members;
    og_json_member_t     *member;     /* behind the last one */
} og_json_cursor_t;


static int og_json_order_begin(og_json_order_t *order,
    const unsigned char *data, size_t len);
static inline int og_json_order_reserve(og_json_order_t *order);
static int og_json_order_blocks(og_json_order_t *order);
static int og_json_order_marks(og_json_order_t *order, size_t at,
    uint64_t marks);
static inline void og_json_order_open(og_json_cursor_t *cursor, size_t at,
    unsigned char close);
static inline void og_json_order_first(og_json_cursor_t *cursor, size_t at);
static inline void og_json_order_next(og_json_cursor_t *cursor, size_t at);
static inline int og_json_order_close(og_json_order_t *order,
    og_json_cursor_t *cursor, size_t at);
static int og_json_order_change(og_json_order_t *order,
    og_json_member_t *members, size_t count, uint32_t end);
static int og_json_order_make_room(og_json_order_t *order, size_t count);
static inline uint32_t og_json_order_piece(og_json_order_t *order,
    uint32_t start);
static uint32_t og_json_order_break(og_json_order_t *order,
    og_json_member_t *around, uint32_t end);
static uint32_t og_json_order_link(og_json_order_t *order, uint32_t last,
    const og_json_member_t *members, size_t count);
static og_json_order_e og_json_order_end(og_json_order_t *order);
static void og_json_order_trim(og_json_order_t *order);


og_json_order_t *
og_json_order_create(void)
{
    return calloc(1, sizeof(og_json_order_t));
}


void
og_json_order_free(og_json_order_t *order)
{
    if (order == NULL) {
        return;
    }

    free(order->levels);
    free(order->members);
    free(order->pieces);
    free(order->sort.sequence);
    free(order->sort.sorted);
    free(order);
}


og_json_order_e
og_json_order(og_json_order_t *order, const unsigned char *data, size_t len)
{
    og_json_order_e  found;

    found = OG_JSON_ORDER_FAILED;

    if (og_json_order_begin(order, data, len) == 0
        && og_json_order_blocks(order) == 0)
    {
        found = og_json_order_end(order);
    }

    og_json_order_trim(order);

    return found;
}


static int
og_json_order_begin(og_json_order_t *order, const unsigned char *data,
    size_t len)
{
    og_trim(order->pieces, order->pieces_alloc, sizeof(og_json_piece_t));

    /* a name is read behind these, with no look at the end of the text */

    if (len == 0 || len > UINT32_MAX || data[len - 1] == '{'
        || data[len - 1] == ',')
    {
        return -1;
    }

    order->data = data;
    order->len = len;
    order->sort.data = data;
    order->sort.len = len;

    order->depth = 0;
    order->nmembers = 0;
    order->npieces = 1;

    if (og_json_order_reserve(order) != 0) {
        return -1;
    }

    memset(order->levels, 0, sizeof(og_json_level_t));
    memset(order->members, 0, sizeof(og_json_member_t));
    order->nmembers = 1;

    return 0;
}


/* Makes room for what a block may open, and for the end of a last member. */
static inline int
og_json_order_reserve(og_json_order_t *order)
{
    void    *grown;
    size_t   need;

    need = order->nmembers + OG_JSON_BLOCK_SIZE + 1;

    if (og_rarely(need > order->members_alloc)) {
        grown = og_grow(order->members, &order->members_alloc, need,
                        sizeof(og_json_member_t));
        if (grown == NULL) {
            return -1;
        }

        order->members = grown;
    }

    need = order->depth + OG_JSON_BLOCK_SIZE + 1;

    if (og_rarely(need > order->levels_alloc)) {
        grown = og_grow(order->levels, &order->levels_alloc, need,
                        sizeof(og_json_level_t));
        if (grown == NULL) {
            return -1;
        }

        order->levels = grown;
    }

    return 0;
}


static int
og_json_order_blocks(og_json_order_t *order)
{
    size_t                 at, left;
    uint64_t               marks;
    unsigned char          last[OG_JSON_BLOCK_SIZE];
    const unsigned char   *block;
    og_json_block_state_t  state;

    memset(&state, 0, sizeof(og_json_block_state_t));

    for (at = 0; at < order->len; at += OG_JSON_BLOCK_SIZE) {
        block = order->data + at;
        left = order->len - at;

        if (og_rarely(left < OG_JSON_BLOCK_SIZE)) {
            memset(last, 0, OG_JSON_BLOCK_SIZE);
            memcpy(last, block, left);
            block = last;
        }

        marks = og_json_block_marks(&state, og_json_block(block));

        if (og_json_order_reserve(order) != 0
            || og_json_order_marks(order, at, marks) != 0)
        {
            return -1;
        }
    }

    return (state.inside == 0) ? 0 : -1;
}


/* Goes through the marks of the block at at. */
static int
og_json_order_marks(og_json_order_t *order, size_t at, uint64_t marks)
{
    size_t            mark;
    unsigned char     c;
    og_json_cursor_t  cursor;

    cursor.data = order->data;
    cursor.len = order->len;
    cursor.level = order->levels + order->depth;
    cursor.members = order->members;
    cursor.member = order->members + order->nmembers;

    for ( /* void */ ; marks != 0; marks &= marks - 1) {
        mark = at + (size_t) __builtin_ctzll(marks);
        c = cursor.data[mark];

        if (og_mostly(c == ',')) {

            if (cursor.level->close == '}') {
                og_json_order_next(&cursor, mark);
            }

        } else if (c == '{' || c == '[') {
            og_json_order_open(&cursor, mark, (c == '{') ? '}' : ']');

        } else if (c != cursor.level->close
                   || og_json_order_close(order, &cursor, mark) != 0)
        {
            return -1;
        }
    }

    order->depth = (size_t) (cursor.level - order->levels);
    order->nmembers = (size_t) (cursor.member - order->members);

    return 0;
}


static inline void
og_json_order_open(og_json_cursor_t *cursor, size_t at, unsigned char close)
{
    og_json_level_t  *level;

    level = ++cursor->level;

    level->first = (uint32_t) (cursor->member - cursor->members);
    level->close = close;
    level->changes = 0;

    if (close == '}' && cursor->data[at + 1] != '}') {
        og_json_order_first(cursor, at);
    }
}


/* The first member of an object, behind its brace. */
static inline void
og_json_order_first(og_json_cursor_t *cursor, size_t at)
{
    size_t             name;
    og_json_member_t  *member;

    name = at + OG_JSON_SORT_NAME;
    member = cursor->member++;

    member->key = og_json_sort_key(cursor->data + name, cursor->len - name);
    member->start = (uint32_t) at;
    member->head = 0;
}


/* The next one, behind a comma. */
static inline void
og_json_order_next(og_json_cursor_t *cursor, size_t at)
{
    og_json_member_t  *member;

    og_json_order_first(cursor, at);

    member = cursor->member - 1;

    cursor->level->changes |= !og_json_sort_is_less(
                                  cursor->data, cursor->len, member[-1].key,
                                  member[-1].start, member->key, at);
}


static inline int
og_json_order_close(og_json_order_t *order, og_json_cursor_t *cursor,
    size_t at)
{
    size_t             count;
    og_json_level_t   *level;
    og_json_member_t  *members;

    level = cursor->level--;
    members = cursor->members + level->first;
    count = (size_t) (cursor->member - members);

    cursor->member = members;
    cursor->level->changes |= level->changes;

    if (!level->changes || level->close == ']') {
        return 0;
    }

    return og_json_order_change(order, members, count, (uint32_t) at);
}


/* Puts the members of an object in order; its brace is at end. */
static int
og_json_order_change(og_json_order_t *order, og_json_member_t *members,
    size_t count, uint32_t end)
{
    uint32_t           last;
    og_json_member_t  *around;

    if (og_json_order_make_room(order, count + 2) != 0
        || og_json_sort(&order->sort, members, count) != 0)
    {
        return -1;
    }

    around = members - 1;
    members[count].start = end;

    last = og_json_order_break(order, around, members->start);
    last = og_json_order_link(order, last, members, count);

    around->tail = og_json_order_piece(order, end);
    order->pieces[last].next = around->tail;

    return 0;
}


static int
og_json_order_make_room(og_json_order_t *order, size_t count)
{
    void  *grown;

    count += order->npieces;

    if (og_mostly(count <= order->pieces_alloc)) {
        return 0;
    }

    grown = og_grow(order->pieces, &order->pieces_alloc, count,
                    sizeof(og_json_piece_t));
    if (grown == NULL) {
        return -1;
    }

    order->pieces = grown;

    return 0;
}


/* A piece that has no end yet, and room. */
static inline uint32_t
og_json_order_piece(og_json_order_t *order, uint32_t start)
{
    og_json_piece_t  *piece;

    piece = &order->pieces[order->npieces];

    piece->start = start;
    piece->next = 0;
    piece->byte = order->data[start];

    return (uint32_t) order->npieces++;
}


/* Ends, for now, the member around an object; returns its last piece. */
static uint32_t
og_json_order_break(og_json_order_t *order, og_json_member_t *around,
    uint32_t end)
{
    if (around->head == 0) {
        around->head = og_json_order_piece(order, around->start);
        around->tail = around->head;
    }

    order->pieces[around->tail].end = end;

    return around->tail;
}


/*
 * Puts members, in their order, behind a piece.  Returns the last piece of
 * the last one.
 */
static uint32_t
og_json_order_link(og_json_order_t *order, uint32_t last,
    const og_json_member_t *members, size_t count)
{
    size_t                   i;
    uint32_t                 head;
    unsigned char            byte;
    const og_json_member_t  *member;

    byte = '{';

    for (i = 0; i < count; i++) {
        member = &members[order->sort.sequence[i]];

        head = (member->head == 0)
               ? og_json_order_piece(order, member->start) : member->head;

        order->pieces[last].next = head;
        order->pieces[head].byte = byte;
        byte = ',';

        last = (member->head == 0) ? head : member->tail;
        order->pieces[last].end = member[1].start;
    }

    return last;
}


static og_json_order_e
og_json_order_end(og_json_order_t *order)
{
    og_json_member_t  *all;

    all = order->members;
    order->head = all->head;

    if (order->depth > 0) {
        return OG_JSON_ORDER_FAILED;
    }

    if (all->head == 0) {
        return OG_JSON_ORDER_KEPT;
    }

    order->pieces[all->tail].end = (uint32_t) order->len;

    return OG_JSON_ORDER_CHANGED;
}


/* All but what og_json_order_copy() needs, which the next pass gives back. */
static void
og_json_order_trim(og_json_order_t *order)
{
    og_json_sort_t  *sort;

    og_trim(order->levels, order->levels_alloc, sizeof(og_json_level_t));
    og_trim(order->members, order->members_alloc, sizeof(og_json_member_t));

    sort = &order->sort;

    og_trim(sort->sequence, sort->sequence_alloc, sizeof(uint32_t));
    og_trim(sort->sorted, sort->sorted_alloc, sizeof(og_json_sorted_t));
}


unsigned char *
og_json_order_copy(unsigned char *dst, const og_json_order_t *order)
{
    size_t                  n, left;
    uint32_t                i;
    const unsigned char    *start;
    const og_json_piece_t  *piece;

    if (order->head == 0) {
        memcpy(dst, order->data, order->len);
        return dst + order->len;
    }

    left = order->len;

    for (i = order->head; i != 0; i = piece->next) {
        piece = &order->pieces[i];
        start = order->data + piece->start;
        n = piece->end - piece->start;

        if (og_mostly(n <= OG_JSON_PIECE_SHORT
                      && left >= OG_JSON_PIECE_SHORT
                      && order->len - piece->start >= OG_JSON_PIECE_SHORT))
        {
            memcpy(dst, start, OG_JSON_PIECE_SHORT);

        } else {
            memcpy(dst, start, n);
        }

        *dst = (unsigned char) piece->byte;
        dst += n;
        left -= n;
    }

    return dst;
}
