#include "api/rest_cache.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ANSWERS_MAX 16 /* of a document */

struct rest_cache {
    struct list by_use; /* of answers, the last used at the end */
    size_t n_bytes, max_bytes;
    struct rest_body contracts[2]; /* by takes_gzip */
};

/* A document's companion. */
struct answers {
    struct document_companion companion;
    struct rest_cache *cache;
    uint64_t version;
    struct list list;
    size_t n;
};

struct answer {
    struct list of_document, by_use;
    struct answers *answers;
    struct rest_form form;
    struct rest_body body;
};

int rest_cache_create(size_t max_bytes, struct rest_cache **out)
{
    struct rest_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return -ENOMEM;
    list_init(&cache->by_use);
    cache->max_bytes = max_bytes;
    *out = cache;
    return 0;
}

void rest_cache_destroy(struct rest_cache *cache)
{
    if (!cache)
        return;
    assert(list_is_empty(&cache->by_use));
    for (size_t i = 0; i < 2; i++)
        frame_unref(cache->contracts[i].frame);
    free(cache);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static size_t size_of(struct rest_body body)
{
    return sizeof(struct answer) + body.frame->n_bytes;
}

static void answer_drop(struct answer *answer)
{
    answer->answers->cache->n_bytes -= size_of(answer->body);
    answer->answers->n--;
    list_remove(&answer->of_document);
    list_remove(&answer->by_use);
    frame_unref(answer->body.frame);
    free(answer);
}

static void answers_clear(struct answers *answers)
{
    while (!list_is_empty(&answers->list))
        answer_drop(LIST_ENTRY(answers->list.next, struct answer, of_document));
}

static void answers_destroy(struct document_companion *companion)
{
    struct answers *answers = LIST_ENTRY(companion, struct answers, companion);

    answers_clear(answers);
    free(answers);
}

static struct answers *answers_of(const struct document *document)
{
    struct document_companion *companion = document_companion(document);

    return companion ? LIST_ENTRY(companion, struct answers, companion) : NULL;
}

/* NULL without memory. */
static struct answers *answers_for(struct rest_cache *cache, struct document *document)
{
    struct answers *answers = answers_of(document);

    if (answers)
        return answers;
    answers = calloc(1, sizeof(*answers));
    if (!answers)
        return NULL;
    answers->companion.destroy = answers_destroy;
    answers->cache = cache;
    list_init(&answers->list);
    document_give_companion(document, &answers->companion);
    return answers;
}

static bool forms_are_same(struct rest_form a, struct rest_form b)
{
    return a.representation == b.representation && a.takes_gzip == b.takes_gzip;
}

static struct answer *answer_find(const struct answers *answers, struct rest_form form)
{
    LIST_FOR_EACH (node, &answers->list) {
        struct answer *answer = LIST_ENTRY(node, struct answer, of_document);

        if (forms_are_same(answer->form, form))
            return answer;
    }
    return NULL;
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

struct rest_body rest_cache_find(struct rest_cache *cache, const struct document *document, uint64_t version,
                                 struct rest_form form)
{
    struct answers *answers = cache ? answers_of(document) : NULL;
    struct answer *answer = answers && answers->version == version ? answer_find(answers, form) : NULL;

    if (!answer)
        return (struct rest_body){ 0 };
    list_remove(&answer->by_use);
    list_append(&cache->by_use, &answer->by_use);
    return answer->body;
}

static void answer_add(struct answers *answers, struct rest_form form, struct rest_body body)
{
    struct rest_cache *cache = answers->cache;
    struct answer *answer = malloc(sizeof(*answer));

    if (!answer)
        return;
    while (cache->n_bytes + size_of(body) > cache->max_bytes)
        answer_drop(LIST_ENTRY(cache->by_use.next, struct answer, by_use));
    answer->answers = answers;
    answer->form = form;
    answer->body = (struct rest_body){ frame_ref(body.frame), body.is_gzip };
    cache->n_bytes += size_of(body);
    answers->n++;
    list_append(&answers->list, &answer->of_document);
    list_append(&cache->by_use, &answer->by_use);
}

void rest_cache_keep(struct rest_cache *cache, struct document *document, uint64_t version, struct rest_form form,
                     struct rest_body body)
{
    struct answers *answers = cache && size_of(body) <= cache->max_bytes ? answers_for(cache, document) : NULL;

    if (!answers || answers->version > version)
        return;
    if (answers->version < version)
        answers_clear(answers);
    answers->version = version;
    if (answers->n < ANSWERS_MAX && !answer_find(answers, form))
        answer_add(answers, form, body);
}

/* ---- the contract ------------------------------------------------------------------------------------------------ */

struct rest_body rest_cache_find_contract(const struct rest_cache *cache, bool takes_gzip)
{
    return cache ? cache->contracts[takes_gzip] : (struct rest_body){ 0 };
}

void rest_cache_keep_contract(struct rest_cache *cache, bool takes_gzip, struct rest_body body)
{
    if (cache && !cache->contracts[takes_gzip].frame)
        cache->contracts[takes_gzip] = (struct rest_body){ frame_ref(body.frame), body.is_gzip };
}
