"""Checks the references below a folder, as terraform validate would with the provider.

Every named variable, local, module output, resource and data source exists; a module gets every required variable and
no unknown one; and every declaration is used.

    references.py FOLDER...

Exit codes: 0 no finding, 1 findings (one a line), 2 usage.
"""

import pathlib
import re
import sys

import hcl2

from schema import plain

REFERENCE = re.compile(r"(?<![\w.\"/-])(var|local|module|data|aws_\w+)\.([A-Za-z_][\w-]*)((?:\[[^\[\]]*\])?\.[A-Za-z_]\w*)?")
OF_A_CALL = {"source", "for_each", "count", "depends_on", "providers", "version"}


def labelled(entries):
    """Blocks with one label, in the parser's form: a list of single-key objects."""
    return {plain(name): body for entry in entries for name, body in entry.items() if not name.startswith("__")}


class Module:
    """The declarations and references of one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.variables, self.outputs, self.calls, self.locals = {}, set(), {}, set()
        self.declared, self.named = set(), {}
        for path in sorted(folder.glob("*.tf")):
            text = path.read_text()
            content = hcl2.loads(text)
            for name, body in labelled(content.get("variable", [])).items():
                self.variables[name] = "default" not in map(plain, body)
            self.outputs |= set(labelled(content.get("output", [])))
            self.calls.update(labelled(content.get("module", [])))
            for block in content.get("locals", []):
                self.locals |= {plain(name) for name in block if not name.startswith("__")}
            for kind in ("resource", "data"):
                for entry in content.get(kind, []):
                    for resource, named in entry.items():
                        for name in named:
                            prefix = "data." if kind == "data" else ""
                            self.declared.add(f"{prefix}{plain(resource)}.{plain(name)}")
            self.read(path, text)

    def read(self, path, text):
        own = None
        for line in text.splitlines():
            code = line.split("#", 1)[0]
            # In a text, only the interpolated parts refer to anything.
            outside = re.sub(r'"((?:[^"\\]|\\.)*)"', lambda found: " ".join(filled(found[1])), code)
            block = re.match(r'(\w+)\s+"(\w+)"', code)
            if block:
                own = block[2] if block[1] == "variable" else None
            for kind, name, rest in REFERENCE.findall(outside):
                # A variable's own validation does not use it.
                if kind == "var" and name == own:
                    continue
                rest = re.sub(r"\[[^\[\]]*\]", "", rest).lstrip(".")
                self.named.setdefault((kind, name, rest), path)

    def uses(self, kind):
        return {name for named, name, _ in self.named if named == kind}


def filled(text):
    """The content of each ${} in a text, nested ones included."""
    found, depth, start, index = [], 0, 0, 0
    while index < len(text):
        if text.startswith("${", index):
            depth += 1
            if depth == 1:
                start = index + 2
            index += 1
        elif text[index] == "{" and depth:
            depth += 1
        elif text[index] == "}" and depth:
            depth -= 1
            if not depth:
                found.append(text[start:index])
        index += 1
    return found


def check_module(module, modules, findings):
    for (kind, name, rest), path in module.named.items():
        if kind == "var" and name not in module.variables:
            findings.append(f"{path}: there is no variable {name}")
        elif kind == "local" and name not in module.locals:
            findings.append(f"{path}: there is no local {name}")
        elif kind == "module":
            check_output(module, modules, name, rest, path, findings)
        elif kind == "data" and rest and f"data.{name}.{rest}" not in module.declared:
            findings.append(f"{path}: there is no data source {name}.{rest}")
        elif kind.startswith("aws_") and f"{kind}.{name}" not in module.declared:
            findings.append(f"{path}: there is no resource {kind}.{name}")
    for name in sorted(set(module.variables) - module.uses("var")):
        findings.append(f"{module.folder}: variable {name} is used by nothing")
    for name in sorted(module.locals - module.uses("local")):
        findings.append(f"{module.folder}: local {name} is used by nothing")
    for name, call in module.calls.items():
        check_call(module, modules, name, call, findings)


def called(module, modules, name):
    source = plain(module.calls[name]["source"])
    return modules.get((module.folder / source).resolve())


def check_output(module, modules, name, output, path, findings):
    if name not in module.calls:
        findings.append(f"{path}: there is no module {name}")
    elif output:
        other = called(module, modules, name)
        if other is not None and output not in other.outputs:
            findings.append(f"{path}: module {name} has no output {output}")


def check_call(module, modules, name, call, findings):
    other = called(module, modules, name)
    if other is None:
        findings.append(f"{module.folder}: module {name} is not where its source says")
        return
    given = {plain(key) for key in call if not key.startswith("__")} - OF_A_CALL
    for argument in sorted(given - set(other.variables)):
        findings.append(f"{module.folder}: module {name} has no variable {argument}")
    required = {variable for variable, needed in other.variables.items() if needed}
    for argument in sorted(required - given):
        findings.append(f"{module.folder}: module {name} is not given {argument}")


def check_outputs(modules, findings):
    """Every output of a called module is read by one of its callers."""
    read = {}
    for module in modules.values():
        for name in module.calls:
            other = called(module, modules, name)
            if other is not None:
                outputs = {rest for kind, named, rest in module.named if kind == "module" and named == name}
                read.setdefault(other.folder, set()).update(outputs)
    for module in modules.values():
        outputs = read.get(module.folder)
        # A caller that passes the whole module on may read any output.
        if outputs is not None and "" not in outputs:
            for name in sorted(module.outputs - outputs):
                findings.append(f"{module.folder}: output {name} is read by nobody")


def check(folders):
    found = {path.parent for folder in folders for path in pathlib.Path(folder).rglob("*.tf") if ".terraform" not in path.parts}
    modules = {folder.resolve(): Module(folder) for folder in sorted(found)}
    findings = []
    for module in modules.values():
        check_module(module, modules, findings)
    check_outputs(modules, findings)
    return len(modules), findings


def main(arguments):
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    count, findings = check(arguments)
    for finding in findings:
        print(finding)
    print(f"{count} folders, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
