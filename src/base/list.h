/* Intrusive doubly linked lists: the links live inside the things that are listed.
 *
 *     head <-> a <-> b <-> head        an empty list, and a node on no list, point at themselves
 *
 * A listener that is told something may leave, or make its neighbour leave. So a broadcast moves the list aside and
 * puts each node back before calling it (list_take, list_pop, list_append): whoever leaves is then simply not found. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *previous, *next;
};

#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define LIST_FOR_EACH(node, head) for (struct list *node = (head)->next; node != (head); node = node->next)

static inline void list_init(struct list *list)
{
    list->previous = list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->previous = head->previous;
    node->next = head;
    head->previous->next = node;
    head->previous = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
    list_append(head->next, node);
}

/* Removing a node that is on no list does nothing. */
static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* The first node, removed; NULL from an empty list. */
static inline struct list *list_pop(struct list *head)
{
    struct list *node = head->next;

    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

/* Moves all of from to the end of head. */
static inline void list_append_all(struct list *head, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->previous = head->previous;
    head->previous->next = from->next;
    from->previous->next = head;
    head->previous = from->previous;
    list_init(from);
}

/* Moves all of from to the empty list into. */
static inline void list_take(struct list *from, struct list *into)
{
    list_init(into);
    if (list_is_empty(from))
        return;
    *into = *from;
    into->next->previous = into;
    into->previous->next = into;
    list_init(from);
}

#endif
