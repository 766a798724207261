"""The application of `prefork_app` as a Celery task."""

from __future__ import annotations

import os

from celery import Celery

from engines.prefork_app import ask

app = Celery("prefork", broker=os.environ["AUTHX_BROKER"], backend=os.environ["AUTHX_BROKER"])
app.conf.update(task_default_queue=os.environ["AUTHX_QUEUE"], result_expires=60, worker_hijack_root_logger=False)
app.task(name="ask")(ask)
