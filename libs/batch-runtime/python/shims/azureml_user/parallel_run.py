"""What scripts written for Azure's parallel runs import: a logger and the folders that they may use."""

import logging
import os
import sys


class EntryScript:
    """Stands for the running script; every one made is the same."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("EntryScript")
        if not self.logger.handlers:
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            self.logger.addHandler(handler)
            self.logger.setLevel(os.environ.get("AZUREML_LOG_LEVEL", "INFO"))
            self.logger.propagate = False
        self.working_dir = os.getcwd()
        self.output_dir = os.environ.get("AZUREML_BI_OUTPUT_PATH", self.working_dir)
        self.log_dir = self.logs_dir = os.environ.get("TMPDIR", self.working_dir)

    def log(self, message: str) -> None:
        self.logger.info(message)
