"""The application of `served`, as tasks of Celery's."""

from __future__ import annotations

import os

from celery import Celery

from engines.served import ask

app = Celery("worked", broker=os.environ["AUTHX_BROKER"], backend=os.environ["AUTHX_BROKER"])
app.conf.update(task_default_queue=os.environ["AUTHX_QUEUE"], result_expires=60, worker_hijack_root_logger=False)


@app.task(name="asked")  # type: ignore[untyped-decorator] # Celery has no types
def asked(user_id: str) -> list[str]:
    """Tell who is found with an id, on which connection, and by which process."""
    return [*ask(user_id).split(), str(os.getpid())]
