/* Bodies that were written once and are given again: of loaded documents, as they are now.
 *
 *     document --companion--> [ of version 12:  text  text, gzip  snapshot ]      in the forms that were asked for
 *     cache    oldest <--- by last use ---> newest                               all of them, up to a ceiling
 *
 * An answer belongs to a version, and a version's content never changes; who asks names the version that he has to
 * give. What is kept of an older version goes when a newer one is kept, everything when the document is unloaded.
 *
 * Beside these, the contract (/openapi.json), plain and in gzip: it stays the same as long as the cache does. */
#ifndef API_REST_CACHE_H
#define API_REST_CACHE_H

#include "base/frame.h"
#include "doc/document.h"

struct rest_cache;

/* max_bytes: of all bodies together. */
STORE_MUST_CHECK int rest_cache_create(size_t max_bytes, struct rest_cache **out);

/* After the hub, whose documents hold answers. NULL is fine. */
void rest_cache_destroy(struct rest_cache *cache);

/* What a client may have asked for. */
struct rest_form {
    const void *representation; /* compared as an address */
    bool takes_gzip;
};

struct rest_body {
    struct frame *frame;
    bool is_gzip; /* takes_gzip alone does not make it: it may not be worth it */
};

/* The frame is borrowed; NULL: there is none. cache NULL is an empty one. */
struct rest_body rest_cache_find(struct rest_cache *cache, const struct document *document, uint64_t version,
                                 struct rest_form form);

/* Takes a reference, unless there is no room for it. */
void rest_cache_keep(struct rest_cache *cache, struct document *document, uint64_t version, struct rest_form form,
                     struct rest_body body);

/* The same for the contract, as who takes gzip is given it, or who does not. Kept once for each. */
struct rest_body rest_cache_find_contract(const struct rest_cache *cache, bool takes_gzip);
void rest_cache_keep_contract(struct rest_cache *cache, bool takes_gzip, struct rest_body body);

#endif
