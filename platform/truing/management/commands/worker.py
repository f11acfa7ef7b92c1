import asyncio
import os
import signal
from argparse import ArgumentParser
from typing import Any, cast

from django.db import connections
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

from truing import command, embedded
from truing.errors import Invalid

HEARTBEAT_SECONDS = 3
# A worker that has not been heard of for so long is dead, and its jobs go to another.
DEAD_AFTER_SECONDS = 15
# What a job may take to end when the worker is told to; then it goes to the next worker.
GRACE_SECONDS = 10


class Command(command.Command):
    help = "Do the jobs: freeze, generate, start and follow runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4, help="Jobs at a time.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["concurrency"] < 1:
            raise Invalid("At least one job at a time is needed.")
        connections.close_all()
        connector = cast(DjangoConnector, app.connector).get_worker_connector()
        # An app beside ours, not `replace_connector`: a job that defers another one does so
        # through ours, which is Django's connection, and so inside the job's own transaction.
        asyncio.run(work(app.with_connector(connector), options["concurrency"]))
        self.done({"ended": True})


async def work(app: App, concurrency: int) -> None:
    """Do jobs until a signal comes."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=DEAD_AFTER_SECONDS,
            )
        )
        rescuer = asyncio.create_task(rescue(app))
        ending = asyncio.create_task(told.wait())
        await asyncio.wait({worker, rescuer, ending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (worker, rescuer):
            if task.done():
                task.result()  # neither ends by itself unless something broke: let that fly
            task.cancel()
        _, running = await asyncio.wait({worker}, timeout=GRACE_SECONDS)
        if running:
            # A thread cannot be ended from outside, and Python would wait for it.
            embedded.release()
            os._exit(0)


async def rescue(app: App) -> None:
    """Give the jobs of dead workers to the living, for as long as this one lives."""
    while True:
        await give_back(app)
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def give_back(app: App) -> None:
    """Let the jobs that dead workers took be taken again. Each may run twice without harm."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        try:
            await app.job_manager.retry_job(job)
        except ConnectorException:
            continue  # another worker was faster
