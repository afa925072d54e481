"""What can go wrong through bad input. A message holds the bad value and says what to do; it is fit to be shown."""


class SerError(Exception):
    """The root of every error that `ser_core` raises on purpose."""


class CorpusError(SerError):
    """A folder or a manifest that holds no usable clip, or a name that is not a RAVDESS name."""


class DownloadError(SerError):
    """Clips that cannot be brought here: no connection, no room, or not the official archives."""


class DownloadStopped(DownloadError):
    """A download that was stopped. What has arrived is kept."""


class ReadOnlyError(SerError):
    """Work that is not begun, since this installation is for looking only."""


class AudioError(SerError):
    """Sound that cannot be read, is not allowed, or holds nothing to recognise."""


class FeatureError(SerError):
    """A feature table that does not fit: wrong version, missing columns, or too many clips that cannot be read."""


class ImageError(SerError):
    """Pictures that cannot be made or kept: an unknown kind, or a folder that holds others or cannot be written."""


class ProtocolError(SerError):
    """A protocol that is not known, or a corpus that cannot be split by it."""


class ModelError(SerError):
    """A model or a preset that is not known."""


class ArtifactError(SerError):
    """A stored model, run or table that is missing, damaged, or made with other versions."""


class TuningError(SerError):
    """A study that is not known, is there already, cannot be searched as asked, or whose database cannot be used."""


class JobError(SerError):
    """A job that is not there, or cannot be started, resumed or deleted as it stands."""


class MissingPackageError(SerError):
    """Work that needs a package which few need, and which is not installed."""


class SettingsError(SerError):
    """A variable of the environment that is none of the values that it can have."""


class ParallelError(SerError):
    """A cluster that does not answer, or whose machines would give other numbers."""


class TrainingError(SerError):
    """A network whose training fails, and would fail again with the same options."""
