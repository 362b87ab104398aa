"""The child process of a crawl: `python -m crawlers.run STUDY [--probe]`.

Scrapy allows one reactor a process, so each crawl has its own. Progress goes to stdout, one JSON object a line; the
log goes to stderr; the end of stdin means that the parent has died.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import ScrapyDeprecationWarning
from scrapy.utils.project import get_project_settings

from citystudy.config import read_study
from citystudy.errors import CityStudyError, ExitCode
from citystudy.privacy import Secret
from citystudy.store import Store


def main(arguments: list[str]) -> int:
    """Run every spider that the study has targets for; return the exit code."""
    path, probing = Path(arguments[0]), "--probe" in arguments[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        study = read_study(path)
        secret = Secret.of(study)
        if not probing:
            with Store(study.database_path) as store:
                store.bind(secret)
                store.register(study)
    except CityStudyError as error:
        return _failed(error)
    # Spidermon writes its log in a way that Scrapy calls old; it would stand in every crawl's log.
    warnings.filterwarnings("ignore", message=r"Spider\.log\(\) is deprecated", category=ScrapyDeprecationWarning)
    os.environ["SCRAPY_SETTINGS_MODULE"] = "crawlers.settings"
    process = AsyncCrawlerProcess(get_project_settings())
    crawlers = []
    for source in dict.fromkeys(target.source for _, target in study.targets() if target.on_network):
        crawler = process.create_crawler(source)  # a spider bears the name of its source
        process.crawl(crawler, study=path, probe=probing, tell=_tell)
        crawlers.append(crawler)
    if not crawlers:
        return ExitCode.OK
    process.start()
    for crawler in crawlers:
        failure = getattr(crawler.spider, "failure", None)
        if failure is not None:
            return _failed(failure)
    return ExitCode.FAILED if process.bootstrap_failed else ExitCode.OK


def _tell(line: Mapping[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _failed(error: CityStudyError) -> int:
    _tell({"error": type(error).__name__, "message": str(error)})
    return error.exit_code


def _end_with_parent() -> None:
    # Ending at once is safe: whatever is stored is stored whole.
    while os.read(0, 1):
        pass
    os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
