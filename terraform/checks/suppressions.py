"""Reads the findings of `checkov --output json`: none may be left, and every suppression must match a finding.

    suppressions.py FINDINGS FOLDER

Each suppression stands in its resource, with its reason: `#checkov:skip=CKV_AWS_1:because ...`.
Exit codes: 0 no finding, 1 findings (one a line), 2 usage.
"""

import json
import pathlib
import re
import sys

SKIP = re.compile(r"checkov:skip=(\w+):?(.*)")


def written(folder):
    """(file, check) to reason, of every suppression below the folder."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*.tf")):
        for match in SKIP.finditer(path.read_text()):
            found[str(path.relative_to(folder)), match[1]] = match[2].strip()
    return found


def check(findings, folder):
    report = json.loads(pathlib.Path(findings).read_text())
    results = (report if isinstance(report, dict) else report[0])["results"]
    said = []
    for failed in results["failed_checks"]:
        line = failed["file_line_range"][0]
        said.append(f"{failed['file_path'].lstrip('/')}:{line}: {failed['resource']}: {failed['check_id']} {failed['check_name']}")
    for error in results["parsing_errors"]:
        said.append(f"{error}: cannot be read")
    used = {(skipped["file_path"].lstrip("/"), skipped["check_id"]) for skipped in results["skipped_checks"]}
    for (path, check_id), reason in written(folder).items():
        if not reason:
            said.append(f"{path}: {check_id} is suppressed without a reason")
        elif (path, check_id) not in used:
            said.append(f"{path}: {check_id} is suppressed and was never found")
    return len(results["passed_checks"]), len(used), said


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    passed, suppressed, said = check(*arguments)
    for line in said:
        print(line)
    print(f"{passed} passed, {suppressed} suppressed with a reason, {len(said)} findings")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
