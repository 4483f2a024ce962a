#include "tests/lib/alloc_fault.h"

static struct {
    bool is_armed, has_failed;
    enum alloc_fault_kind kind;
    size_t n_pass;
    size_t n_pauses;
} fault;

/* The linker's --wrap sends calls to __wrap_x, and __real_x to the original. */
void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *at, size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *at, size_t n_bytes);

void alloc_fault_arm(size_t n_pass, enum alloc_fault_kind kind)
{
    fault.is_armed = true;
    fault.has_failed = false;
    fault.kind = kind;
    fault.n_pass = n_pass;
}

bool alloc_fault_disarm(void)
{
    fault.is_armed = false;
    return fault.has_failed;
}

void alloc_fault_pause(void)
{
    fault.n_pauses++;
}

void alloc_fault_resume(void)
{
    fault.n_pauses--;
}

static bool fails(void)
{
    if (!fault.is_armed || fault.n_pauses)
        return false;
    if (fault.n_pass) {
        fault.n_pass--;
        return false;
    }
    if (fault.has_failed && fault.kind == ALLOC_FAULT_ONCE)
        return false;
    fault.has_failed = true;
    return true;
}

void *__wrap_malloc(size_t n_bytes)
{
    return fails() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
    return fails() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *at, size_t n_bytes)
{
    return fails() ? NULL : __real_realloc(at, n_bytes);
}
