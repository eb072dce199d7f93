"""Many sessions of one plan: tasks that are plain values, whoever runs them, and one table of what they came to."""

from replay.sweep.executors import Executor as Executor
from replay.sweep.executors import InProcess as InProcess
from replay.sweep.executors import Processes as Processes
from replay.sweep.play import Keep as Keep
from replay.sweep.play import Place as Place
from replay.sweep.play import run as run
from replay.sweep.task import Done as Done
from replay.sweep.task import Outcome as Outcome
from replay.sweep.task import SweepError as SweepError
from replay.sweep.task import Task as Task
