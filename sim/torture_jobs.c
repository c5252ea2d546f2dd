// A torture shared out to several processes: each runs the main line and cuts its share of the operations.

#include "torture_jobs.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64

typedef struct answer {
    int err;
    char text[256];
    torture_totals_t totals;
} answer_t;

static void run_job(torture_t torture, uint32_t job, uint32_t job_count, int to) {
    answer_t answer;
    torture.job = job;
    torture.job_count = job_count;
    if (job > 0) {
        torture.progress = NULL;
    }
    memset(&answer, 0, sizeof answer);
    answer.err = torture_run(&torture);
    memcpy(answer.text, torture.text, sizeof answer.text);
    answer.totals = torture.totals;
    _exit(write(to, &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
}

static int take_answer(int from, answer_t *answer) {
    size_t got = 0;
    ssize_t n;
    while (got < sizeof *answer && (n = read(from, (char *)answer + got, sizeof *answer - got)) > 0) {
        got += (size_t)n;
    }
    return got == sizeof *answer ? 0 : -1;
}

int torture_run_jobs(const torture_t *torture, uint32_t job_count, torture_totals_t *totals, char *text, uint32_t text_size) {
    int ends[JOBS_MAX];
    uint32_t started = 0;
    int result = 0;
    *totals = (torture_totals_t){ 0 };
    job_count = job_count < 1 ? 1 : job_count > JOBS_MAX ? JOBS_MAX : job_count;
    fflush(NULL);
    for (; started < job_count; started++) {
        int pair[2];
        if (pipe(pair) != 0) {
            break;
        }
        pid_t pid = fork();
        if (pid == 0) {
            close(pair[0]);
            run_job(*torture, started, job_count, pair[1]);
        }
        close(pair[1]);
        ends[started] = pair[0];
        if (pid < 0) {
            close(pair[0]);
            break;
        }
    }
    if (started < job_count) {
        snprintf(text, text_size, "no process can be started");
        result = -1;
    }
    for (uint32_t job = 0; job < started; job++) {
        answer_t answer;
        if (take_answer(ends[job], &answer) != 0) {
            snprintf(text, text_size, "job %u of %u crashed", job + 1, job_count);
            result = -1;
        } else if (answer.err) {
            snprintf(text, text_size, "%s", answer.text);
            result = answer.err;
        } else {
            torture_add(totals, &answer.totals);
        }
        close(ends[job]);
        wait(NULL);
    }
    return result;
}
