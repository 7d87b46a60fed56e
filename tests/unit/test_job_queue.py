"""Only a few threads take requests, and one that waits lets another take the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue

import pytest

from saver.server.job_queue import JobQueue
from tests.support.threads import TIMEOUT

THREADS = 5
# Seconds in which a thread would have taken a job, if it could.
A_MOMENT = 0.05


class Workers:
    """Threads that take jobs. Each waits with its job until it may go on."""

    def __init__(self, turns: int) -> None:
        self.jobs: JobQueue[int | None] = JobQueue(turns)
        self._taken: SimpleQueue[tuple[int, threading.Thread]] = SimpleQueue()
        self.gives_up = {job: threading.Event() for job in range(THREADS)}
        self.may_finish = {job: threading.Event() for job in range(THREADS)}
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None:
            self._taken.put((job, threading.current_thread()))
            if self.gives_up[job].is_set():
                self.jobs.end_turn()
                self.jobs.end_turn()
            self.may_finish[job].wait(TIMEOUT)
        self.jobs.end_turn()

    def next_taken(self) -> tuple[int, threading.Thread]:
        return self._taken.get(timeout=TIMEOUT)

    def none_is_taken(self) -> bool:
        try:
            self._taken.get(timeout=A_MOMENT)
        except Empty:
            return True
        return False

    def end(self) -> None:
        for event in self.may_finish.values():
            event.set()
        for _ in self._threads:
            self.jobs.put(None)
        for thread in self._threads:
            thread.join(TIMEOUT)
            assert not thread.is_alive()


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    made = Workers(request.param)
    yield made
    made.end()


@pytest.mark.parametrize("workers", [2], indirect=True)
def test_no_more_threads_take_jobs_than_there_are_turns(workers: Workers) -> None:
    for job in range(THREADS):
        workers.jobs.put(job)
    assert [workers.next_taken()[0] for _ in range(2)] == [0, 1]
    assert workers.none_is_taken()
    workers.may_finish[1].set()
    assert workers.next_taken()[0] == 2


@pytest.mark.parametrize("workers", [2], indirect=True)
def test_a_thread_that_waits_lets_one_other_take_a_job(workers: Workers) -> None:
    workers.gives_up[1].set()
    for job in range(THREADS):
        workers.jobs.put(job)
    assert [workers.next_taken()[0] for _ in range(3)] == [0, 1, 2]
    assert workers.none_is_taken(), "a turn that was given up twice is still one"


@pytest.mark.parametrize("workers", [1], indirect=True)
def test_a_thread_keeps_its_turn_from_job_to_job(workers: Workers) -> None:
    for job in range(THREADS):
        workers.may_finish[job].set()
        workers.jobs.put(job)
    taken = [workers.next_taken() for _ in range(THREADS)]
    assert [job for job, _ in taken] == [*range(THREADS)]
    assert len({thread for _, thread in taken}) == 1


@pytest.mark.parametrize("workers", [1], indirect=True)
def test_it_gets_a_turn_again_after_the_others(workers: Workers) -> None:
    for job in range(THREADS):
        workers.gives_up[job].set()
        workers.jobs.put(job)
    assert len({workers.next_taken()[1] for _ in range(THREADS)}) == THREADS
    assert workers.none_is_taken()
