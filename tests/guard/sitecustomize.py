"""Has the guard refuse in the processes that tests start; found by PYTHONPATH."""

import sealed_guard  # type: ignore[import-not-found]  # stands beside this file

sealed_guard.stand(refusing=True)
