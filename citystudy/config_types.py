"""What the models of a study file share: strictness, and the types of addresses, names and codes."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from citystudy.text import slug


class StrictModel(BaseModel):
    """A table of the study file: unknown keys are errors, nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _web_address(url: str) -> str:
    whole = "a full web address that starts with http:// or https://"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError(whole) from None
    if not usable or re.search(r"\s", url):
        raise ValueError(whole)
    if parts.username or parts.password:
        raise ValueError("a web address without a name or password in it; secrets come from the environment")
    return url


def _nameable(name: str) -> str:
    if not slug(name):
        raise ValueError("a name with letters or digits in it")
    return name


WebAddress = Annotated[str, AfterValidator(_web_address)]
Name = Annotated[str, AfterValidator(_nameable)]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", description="an ISO 639 code such as 'ar'")]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="an ISO 3166 code such as 'JO'")]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
