"""The coverage certificates in a package: what was planned, recorded and missing, as signed."""

from collections.abc import Iterable
from typing import Any

import msgspec

from contract.keys import canonical
from orchestrator.certificates.records import Kept
from orchestrator.evidence.package import Package


def add_certificates(package: Package, certificates: Iterable[Kept]) -> list[dict[str, Any]]:
    """Put each certificate into the package, with the boxes' words; gives the manifest's rows.

    The files are what `xunkao coverage SESSION --json` prints as `proof`.
    """
    rows = []
    for kept in certificates:
        content = kept.certificate.content
        name = f"certificates/{kept.session}.json"
        package.add(name, canonical(kept.document))
        rows.append(
            {
                "session": kept.session,
                "edition": kept.edition,
                "issued_at": msgspec.to_builtins(kept.issued_at),
                "verdict": content.verdict,
                "cameras": [part.camera for part in content.cameras],
                "kid": kept.document.certificate.kid,
                "file": name,
            }
        )
    return rows
