/* Puts and deletes, spelled one behind the other:
 *
 *     | what | database | limit | key | value, or the end of the range | */
#include "storage/lmdb/inside.h"

#include <errno.h>

#define PARCEL_MAX_BYTES ((size_t)1 << 30) /* the largest value, a record of STORE_RECORD_MAX_BYTES, with much room */

enum parcel_op { OP_PUT = 1, OP_DELETE, OP_DELETE_RANGE };

void parcel_init(struct parcel *parcel)
{
    *parcel = (struct parcel){ 0 };
    list_init(&parcel->link);
    buffer_init(&parcel->ops, PARCEL_MAX_BYTES);
}

void parcel_init_mapped(struct parcel *parcel)
{
    parcel_init(parcel);
    buffer_init_mapped(&parcel->ops, PARCEL_MAX_BYTES);
}

void parcel_finish(struct parcel *parcel)
{
    buffer_finish(&parcel->ops);
}

void parcel_reset(struct parcel *parcel)
{
    buffer_reset(&parcel->ops);
}

static void add_op(struct parcel *parcel, enum parcel_op op, enum db db, size_t limit, struct bytes key)
{
    append_varint(&parcel->ops, op);
    append_varint(&parcel->ops, db);
    append_varint(&parcel->ops, limit);
    append_bytes(&parcel->ops, key);
}

void parcel_put(struct parcel *parcel, enum db db, struct bytes key, struct bytes value)
{
    char seal[SEAL_BYTES];

    put_le32(seal, seal_of(db, key, value));
    add_op(parcel, OP_PUT, db, 0, key);
    append_varint(&parcel->ops, SEAL_BYTES + value.n_bytes);
    (void)buffer_append(&parcel->ops, seal, SEAL_BYTES);
    (void)buffer_append(&parcel->ops, value.at, value.n_bytes);
}

void parcel_put_encoded(struct parcel *parcel, enum db db, struct bytes key, const struct buffer *value)
{
    if (!value->error) {
        parcel_put(parcel, db, key, buffer_bytes(value));
    } else if (!parcel->ops.error) {
        buffer_finish(&parcel->ops);
        parcel->ops.error = value->error; /* half a value must not be written */
    }
}

void parcel_put_sealed(struct parcel *parcel, enum db db, struct bytes key, struct bytes value)
{
    add_op(parcel, OP_PUT, db, 0, key);
    append_bytes(&parcel->ops, value);
}

void parcel_delete(struct parcel *parcel, enum db db, struct bytes key)
{
    add_op(parcel, OP_DELETE, db, 0, key);
    append_bytes(&parcel->ops, bytes_of(NULL, 0));
}

void parcel_delete_range(struct parcel *parcel, enum db db, struct bytes from, struct bytes to, size_t limit)
{
    add_op(parcel, OP_DELETE_RANGE, db, limit, from);
    append_bytes(&parcel->ops, to);
}

/* ---- on the commit thread ---------------------------------------------------------------------------------------- */

static int delete_range(MDB_txn *txn, MDB_dbi dbi, struct bytes from, struct bytes to, size_t limit)
{
    MDB_val key = val_of(from), value;
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, dbi, &cursor);

    if (code)
        return environment_errno(code);
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!code && limit-- > 0 && bytes_compare(bytes_of_val(key), to) <= 0) {
        code = mdb_cursor_del(cursor, 0);
        key = val_of(from); /* a fresh descent: where a cursor stands after a delete depends on too much */
        if (!code)
            code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : environment_errno(code);
}

static int op_write(enum parcel_op op, MDB_txn *txn, MDB_dbi dbi, size_t limit, struct bytes key, struct bytes value)
{
    MDB_val k = val_of(key), v = val_of(value);
    int code;

    switch (op) {
    case OP_PUT: return environment_errno(mdb_put(txn, dbi, &k, &v, 0));
    case OP_DELETE: code = mdb_del(txn, dbi, &k, NULL); return code == MDB_NOTFOUND ? 0 : environment_errno(code);
    case OP_DELETE_RANGE: return delete_range(txn, dbi, key, value, limit);
    }
    return -EINVAL;
}

int parcel_write(const struct parcel *parcel, const struct environment *environment, MDB_txn *txn)
{
    struct scan scan = scan_of(buffer_bytes(&parcel->ops));
    int r = parcel->ops.error;

    while (!r && !scan.bad && scan_left(&scan)) {
        enum parcel_op op = (enum parcel_op)scan_varint(&scan);
        size_t db = (size_t)scan_varint(&scan), limit = (size_t)scan_varint(&scan);
        struct bytes key = scan_bytes(&scan), value = scan_bytes(&scan);

        r = op_write(op, txn, environment->dbs[db], limit, key, value);
    }
    return r;
}
