"""What a JavaScript engine gives for free: microtasks, a checkpoint after calls, promises (ECMAScript, 9.5)."""

from peerline.jobs.promise import Promise, promise, promising
from peerline.jobs.queue import Jobs, jobs, running_jobs
from peerline.jobs.script import call, report, start

__all__ = ["Jobs", "Promise", "call", "jobs", "promise", "promising", "report", "running_jobs", "start"]
