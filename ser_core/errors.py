"""Errors caused by bad input. The message names the bad value and what to do, and can be shown to users."""


class SerError(Exception):
    """The base class of all errors of `ser_core`."""


class CorpusError(SerError):
    """A folder or manifest without usable clips, or a file name that is not a RAVDESS name."""


class DownloadError(SerError):
    """A failed download: no connection, no disk space, or not the official archives."""


class DownloadStopped(DownloadError):
    """A download that was stopped. What was downloaded is kept."""


class ReadOnlyError(SerError):
    """Work that is refused because this installation, or what it would change, is read-only."""


class AudioError(SerError):
    """Audio that cannot be decoded, is out of limits, or contains nothing to recognise."""


class FeatureError(SerError):
    """An unusable feature table: wrong version, missing columns, or too many unreadable clips."""


class ImageError(SerError):
    """Images that cannot be made or saved: an unknown kind, or a folder with other images or without write access."""


class ProtocolError(SerError):
    """An unknown protocol, or a corpus that cannot be split by it."""


class ModelError(SerError):
    """An unknown model or preset, or a recipe that does not fit the model."""


class ArtifactError(SerError):
    """A stored model, run or table that is missing, damaged, or of another version."""


class ListeningError(SerError):
    """A round of clips that cannot be drawn or played, or answers of listeners that cannot be scored."""


class DamagedError(ArtifactError):
    """A file that is not what it should be, or cannot be read."""


class ReportError(SerError):
    """A report that cannot be written where it was asked for."""


class TuningError(SerError):
    """A study that is unknown, exists already or does not allow the search, or a database that cannot be used."""


class ClassroomError(SerError):
    """A class that cannot be opened or entered, or an answer that is not taken."""


class JobError(SerError):
    """An unknown job, or one that cannot be started, resumed or deleted in its state."""


class MissingPackageError(SerError):
    """Work that needs an optional package that is not installed."""


class SettingsError(SerError):
    """An environment variable with an invalid value."""


class SweepError(SerError):
    """A file of experiments that is not valid, or of which none can be run."""


class ParallelError(SerError):
    """A cluster that does not answer, or whose machines would give different results."""


class TrainingError(SerError):
    """A network whose training fails and would fail again with the same options."""
