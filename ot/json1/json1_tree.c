#include "ot/json/utf8.h"
#include "ot/json1/json1.h"

#include <stdio.h>
#include <string.h>

/* Looking at trees: keys, places, and walking one tree in step with another. */

/* The order of two different short texts. Their bytes' order is that of code points; what lies beyond the BMP (0xf0 and
 * more) comes before U+E000 to U+FFFF (0xee, 0xef) in UTF-16. */
static int compare_short(const struct value *a, const struct value *b)
{
    size_t i = 0, n = a->n_short < b->n_short ? a->n_short : b->n_short;
    unsigned char of_a, of_b;

    while (i < n && a->short_text[i] == b->short_text[i])
        i++;
    if (i == n)
        return a->n_short - b->n_short;
    of_a = (unsigned char)a->short_text[i];
    of_b = (unsigned char)b->short_text[i];
    if ((of_a >= 0xf0) != (of_b >= 0xf0) && of_a >= 0xee && of_b >= 0xee)
        return of_b - of_a;
    return of_a - of_b;
}

int json1_other_key_compare(const struct value *a, const struct value *b)
{
    if (json1_is_index(a) != json1_is_index(b))
        return json1_is_index(a) ? -1 : 1;
    if (a->kind == VALUE_SHORT && b->kind == VALUE_SHORT)
        return compare_short(a, b);
    return value_text_compare_utf16(a, b);
}

/* ---- followers --------------------------------------------------------------------------------------------------- */

/* The flags that the follower goes by. */
static unsigned followed_flags(const struct json1_follower *follower, const struct json1_node *child)
{
    return follower->only_seen ? json1_seen_flags(child) : child->flags;
}

/* How the child's key stands to the one that is asked for. *is_out: it lies there, but the middle does not have it. */
static int compare_child(const struct json1_follower *follower, const struct value *key, bool *is_out)
{
    const struct json1_node *child = follower->child;
    double index;

    *is_out = false;
    if (!json1_is_index(&child->key) || !json1_is_index(key))
        return json1_key_compare(&child->key, key);
    index = child->key.number;
    if (follower->by_middle) {
        index -= (double)follower->n_passed;
        *is_out = followed_flags(follower, child) & follower->counted;
    }
    return (index > key->number) - (index < key->number);
}

static void pass(struct json1_follower *follower)
{
    const struct json1_node *child = follower->child;

    if (json1_is_index(&child->key) && (followed_flags(follower, child) & follower->counted))
        follower->n_passed++;
    follower->child = child->next;
}

const struct json1_node *json1_follow_on(struct json1_follower *follower, const struct value *key)
{
    while (follower->child) {
        bool is_out, is_hidden = follower->only_seen && !(follower->child->seen & JSON1_SEEN_NODE);
        int c = is_hidden ? -1 : compare_child(follower, key, &is_out);

        if (is_hidden) {
            follower->child = follower->child->next;
            continue;
        }
        if (c > 0)
            return NULL;
        if (c == 0 && !is_out)
            return follower->child;
        pass(follower);
    }
    return NULL;
}

/* ---- what was there before --------------------------------------------------------------------------------------- */

unsigned json1_seen_flags(const struct json1_node *node)
{
    return node->seen & JSON1_SEEN_COMPONENT ? node->flags : 0;
}

void json1_mark_seen(struct json1_node *tree)
{
    tree->seen = tree->flags & JSON1_COMPONENT ? JSON1_SEEN_NODE | JSON1_SEEN_COMPONENT : 0;
    for (struct json1_node *child = tree->first; child; child = child->next) {
        json1_mark_seen(child);
        if (child->seen)
            tree->seen |= JSON1_SEEN_NODE;
    }
}

bool json1_is_live(const struct json1_node *tree)
{
    if (tree->flags & JSON1_COMPONENT)
        return true;
    for (const struct json1_node *child = tree->first; child; child = child->next) {
        if (json1_is_live(child))
            return true;
    }
    return false;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

#define KEY_BYTES 20

/* Returns how many bytes it wrote. */
static size_t format_key(const struct value *key, char into[KEY_BYTES + 1])
{
    struct value_reader reader;
    const char *at;
    size_t n, n_bytes = 0;

    if (json1_is_index(key))
        return (size_t)snprintf(into, KEY_BYTES + 1, "%.0f", key->number);
    value_reader_init(&reader, key, 0);
    while (n_bytes <= KEY_BYTES && (n = value_reader_read(&reader, KEY_BYTES + 1 - n_bytes, &at)) > 0) {
        memcpy(into + n_bytes, at, n);
        n_bytes += n;
    }
    return n_bytes <= KEY_BYTES ? n_bytes : utf8_floor(into, KEY_BYTES, n_bytes);
}

/* Written from the end to the front, so that what is cut is the start. */
const char *json1_place(const struct json1_node *node, char into[JSON1_PLACE_BYTES])
{
    char key[KEY_BYTES + 1];
    size_t at = JSON1_PLACE_BYTES - 1;

    into[at] = '\0';
    if (!node || !node->parent)
        return "the root";
    for (; node->parent; node = node->parent) {
        size_t n_bytes = format_key(&node->key, key);

        if (n_bytes + 4 > at) {
            memcpy(into + at - 3, "...", 3);
            return into + at - 3;
        }
        at -= n_bytes;
        memcpy(into + at, key, n_bytes);
        into[--at] = '/';
    }
    return into + at;
}
