/* The worker thread: serves reads in the order of the calls, and moves the jobs on in between, a parcel at a time. */
#include "storage/lmdb/inside.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/* ---- from other threads ------------------------------------------------------------------------------------------ */

static void enqueue(struct worker *worker, struct list *queue, struct list *node)
{
    pthread_mutex_lock(&worker->mutex);
    list_append(queue, node);
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

void worker_enqueue(struct lmdb_store *store, struct request *request)
{
    enqueue(&store->worker, &store->worker.requests, &request->link);
}

void worker_enqueue_parcel(struct lmdb_store *store, struct parcel *parcel)
{
    enqueue(&store->worker, &store->worker.parcels, &parcel->link);
}

void worker_fold(struct lmdb_store *store)
{
    struct worker *worker = &store->worker;

    pthread_mutex_lock(&worker->mutex);
    worker->fold_is_due = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

/* What it packed in goes back to the system: it has become larger with use. */
static void job_end(struct lmdb_store *store, struct job *job, int r)
{
    parcel_finish(&job->parcel);
    segment_writer_shrink(&store->worker.writer);
    job->ended(store, r);
}

/* A job's next step, behind its last parcel's commit (r). */
static void job_step(struct lmdb_store *store, struct job *job, int r)
{
    struct view *view = &store->worker.view;
    enum job_step step = JOB_FINISHED;

    parcel_reset(&job->parcel);
    if (!r)
        r = view_begin(view);
    if (!r) {
        step = job->step(store, view, &r);
        view_end(view);
    }
    if (step == JOB_PARCEL && !r) {
        if (job->takes_turns)
            store->worker.turn = job;
        commit_enqueue_parcel(store, &job->parcel);
        return;
    }
    job_end(store, job, r);
}

static void turns_run(struct lmdb_store *store)
{
    struct worker *worker = &store->worker;
    struct list *node;

    while (!worker->turn && (node = list_pop(&worker->turns)))
        job_step(store, LIST_ENTRY(node, struct job, link), 0);
}

void worker_queue_job(struct lmdb_store *store, struct job *job)
{
    list_append(&store->worker.turns, &job->link);
}

void worker_start_job(struct lmdb_store *store, struct job *job)
{
    if (job->takes_turns) {
        worker_queue_job(store, job);
        turns_run(store);
    } else {
        job_step(store, job, 0);
    }
}

static void fold_start(struct lmdb_store *store)
{
    struct view *view = &store->worker.view;
    int dead, r = view_begin(view);

    if (!r) {
        (void)mdb_reader_check(store->environment.env, &dead); /* who was killed pins pages */
        r = fold_begin(store, view);
        view_end(view);
    }
    if (r)
        job_end(store, &store->worker.fold.job, r);
    else
        worker_start_job(store, &store->worker.fold.job);
}

static void parcel_came_back(struct lmdb_store *store, struct parcel *parcel)
{
    struct worker *worker = &store->worker;
    struct job *job = LIST_ENTRY(parcel, struct job, parcel);

    if (job->takes_turns)
        worker->turn = NULL;
    if (job->takes_turns && !parcel->r)
        list_append(&worker->turns, &job->link);
    else
        job_step(store, job, parcel->r);
    turns_run(store);
}

/* ---- the lane of snapshots --------------------------------------------------------------------------------------- */

void worker_line_up(struct lmdb_store *store, struct request *request)
{
    list_append(&store->worker.lane, &request->link);
}

/* One at a time, so that neither drops what the other is about to write. */
static void lane_run(struct lmdb_store *store)
{
    struct worker *worker = &store->worker;
    struct list *node;

    while (!worker->snapshotting.put && !worker->merging.merge && (node = list_pop(&worker->lane))) {
        struct request *request = LIST_ENTRY(node, struct request, link);

        request->begin(store, request);
    }
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void request_serve(struct lmdb_store *store, struct request *request)
{
    struct view *view = &store->worker.view;
    enum served served = SERVED;
    int r = view_begin(view);

    if (r) {
        request->r = r;
    } else {
        served = request->serve(request, view);
        view_end(view);
    }
    if (served == SERVE_AGAIN)
        worker_enqueue(store, request);
    else if (served == SERVED)
        lmdb_answer_one(request);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

struct errands {
    struct list requests, parcels;
    bool fold_is_due;
};

/* Waits for something to do; false: it is over. */
static bool worker_wait(struct worker *worker, struct errands *errands)
{
    bool goes_on;

    pthread_mutex_lock(&worker->mutex);
    while (list_is_empty(&worker->requests) && list_is_empty(&worker->parcels) && !worker->fold_is_due &&
           !worker->is_stopping)
        pthread_cond_wait(&worker->changed, &worker->mutex);
    list_take(&worker->requests, &errands->requests);
    list_take(&worker->parcels, &errands->parcels);
    errands->fold_is_due = worker->fold_is_due;
    worker->fold_is_due = false;
    goes_on = !worker->is_stopping;
    pthread_mutex_unlock(&worker->mutex);
    return goes_on;
}

/* When it is over every request has been answered; a fold under way is left where it is, for the next opening. */
static void *worker_main(void *arg)
{
    struct lmdb_store *store = arg;
    struct worker *worker = &store->worker;
    struct errands errands;
    struct list *node;

    (void)pthread_setname_np(pthread_self(), "worker");
    while (worker_wait(worker, &errands)) {
        while ((node = list_pop(&errands.requests)))
            request_serve(store, LIST_ENTRY(node, struct request, link));
        while ((node = list_pop(&errands.parcels)))
            parcel_came_back(store, LIST_ENTRY(node, struct parcel, link));
        if (errands.fold_is_due)
            fold_start(store);
        lane_run(store);
        turns_run(store);
    }
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void worker_init(struct worker *worker)
{
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->changed, NULL);
    list_init(&worker->requests);
    list_init(&worker->parcels);
    overlay_init(&worker->view.overlay);
    fold_init(&worker->fold);
    snapshotting_init(&worker->snapshotting);
    list_init(&worker->turns);
    list_init(&worker->lane);
    merging_init(&worker->merging);
    repacking_init(&worker->repacking);
}

int worker_start(struct lmdb_store *store)
{
    struct worker *worker = &store->worker;
    int r = view_init(&worker->view, &store->environment, &store->environment_in_use);

    if (!r && !store->is_read_only)
        r = segment_writer_init(&worker->writer);
    if (!r)
        r = -pthread_create(&worker->thread, NULL, worker_main, store);
    worker->is_running = !r;
    return r;
}

void worker_stop(struct lmdb_store *store)
{
    struct worker *worker = &store->worker;

    if (!worker->is_running)
        return;
    pthread_mutex_lock(&worker->mutex);
    worker->is_stopping = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    worker->is_running = false;
}

void worker_finish(struct worker *worker)
{
    fold_finish(&worker->fold);
    snapshotting_finish(&worker->snapshotting);
    merging_finish(&worker->merging);
    repacking_finish(&worker->repacking);
    segment_writer_finish(&worker->writer);
    view_finish(&worker->view);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->mutex);
}
