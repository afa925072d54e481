"""What is used of libraries that they do not promise: a test for each, which says so when it goes."""

import inspect

import numpy as np
import optuna
import pytest
from optuna.storages import RDBStorage
from starlette.formparsers import MultiPartParser

from ser_core.prediction import model_store


def test_starlette_keeps_in_memory_what_is_smaller_than_the_spool_size():
    """`ser_core.ui` raises it, so that no recording is written to disk while it arrives."""
    from ser_core import ui  # noqa: F401  # sets it

    assert MultiPartParser.spool_max_size >= 25 * 2**20
    assert "SpooledTemporaryFile(max_size=self.spool_max_size)" in inspect.getsource(MultiPartParser), (
        "Starlette does not read spool_max_size any more: find out where uploads lie while they arrive"
    )


def test_streamlit_reads_forms_with_that_parser():
    from streamlit.web.server import starlette

    sources = "".join(inspect.getsource(one) for _, one in inspect.getmembers(starlette, inspect.ismodule))
    assert ".form(" in sources or "MultiPartParser" in sources


def test_streamlit_lets_go_of_an_upload_when_it_is_told_to():
    """`ui.sources` takes what a widget has got out of Streamlit's own memory."""
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    assert callable(get_script_run_ctx)
    assert {"session_id", "uploaded_file_mgr"} <= set(ScriptRunContext.__dataclass_fields__)
    assert [*inspect.signature(MemoryUploadedFileManager.remove_file).parameters] == ["self", "session_id", "file_id"]
    assert "file_id" in inspect.getsource(UploadedFile.__init__)


def test_streamlit_asks_whether_the_folder_of_pages_is_the_navigation():
    """`app.py` says no, before the first page is shown."""
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.runtime.scriptrunner import script_runner

    assert hasattr(PagesManager, "uses_pages_directory")
    assert "if PagesManager.uses_pages_directory:" in inspect.getsource(script_runner)


def test_optuna_names_the_trials_of_silent_workers(tmp_path):
    """`tuning.monitor` reads them; the public function writes to the database."""
    database = RDBStorage(f"sqlite:///{tmp_path}/studies.sqlite", heartbeat_interval=1, grace_period=2)
    study = optuna.create_study(study_name="one", storage=database)
    trial = study.ask()
    backend = study._storage._backend
    assert backend._get_stale_trial_ids(study._study_id) == []
    assert backend.get_trial_number_from_id(trial._trial_id) == trial.number == 0


def test_optuna_lists_studies_with_their_attributes(tmp_path):
    """`tuning.studies` lists them; the public summaries read all trials of each."""
    database = RDBStorage(f"sqlite:///{tmp_path}/studies.sqlite")
    optuna.create_study(study_name="one", storage=database).set_user_attr("model", "kn")
    assert [(one.study_name, one.user_attrs) for one in database.get_all_studies()] == [("one", {"model": "kn"})]


def test_keras_lists_the_layers_inside_layers_and_marks_what_is_masked():
    """`models.networks` seeds each layer's generator, and passes masks on by hand."""
    keras = pytest.importorskip("keras")
    inner = keras.Sequential([keras.layers.Input((4, 2)), keras.layers.Dropout(0.5)])
    model = keras.Sequential([keras.layers.Input((4, 2)), keras.layers.Masking(0.0), inner])
    dropouts = [one for one in model._flatten_layers() if isinstance(one, keras.layers.Dropout)]
    assert len(dropouts) == 1 and dropouts[0].seed_generator.state.shape == (2,)
    masked = keras.layers.Masking(0.0)(keras.ops.convert_to_tensor(np.ones((1, 4, 2), np.float32)))
    assert masked._keras_mask.shape == (1, 4)


@pytest.mark.parametrize("name", [name for name in model_store.TRUSTED_TYPES if not name.startswith("ser_core.")])
def test_each_type_that_saved_models_may_hold_is_still_there(name):
    """Some are private names of scikit-learn: a model that was saved with one could not be loaded any more."""
    module, _, kind = name.rpartition(".")
    assert hasattr(__import__(module, fromlist=[kind]), kind)
