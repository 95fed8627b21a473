# SPDX-License-Identifier: LGPL-2.1-or-later
"""schema.py MANIFEST.C SCHEMA MANUAL GOLDEN...: prints where they name other
attributes.

The tables of fields in set/manifest.c say which attributes each element of
export.xml has, and which of them may be missing. The schema must describe the
same, and except just these from the attributes that it lets pass unseen: with
one exception less a wrong value is valid, with one more a manifest of a later
program is damaged. The manual lists them, and each stands in one of the golden
files. What the values may be is not compared.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

RNG = "{http://relaxng.org/ns/structure/1.0}"
TABLE = r"RfpField (\w+)_fields\[[^]]*\] = \{"


def from_tables(text):
    """Element -> {attribute: whether it may be missing}."""
    elements = {}
    for name, body in re.findall(TABLE + r"(.*?)\n\};", text, re.S):
        fields = re.findall(
            r'(?:RFP_FIELD\(\s*\w+,\s*[\w.]+,\s*|\.name = )"([\w-]+)"'
            r"(.*?)(?=RFP_FIELD|\.name =)", body, re.S)
        elements[name] = {f: ".optional = TRUE" in rest for f, rest in fields}
    return elements


class Schema:
    """The definitions of a schema, by name."""

    def __init__(self, path):
        root = ElementTree.parse(path).getroot()
        self.defines = {d.get("name"): d for d in root.iter(RNG + "define")}

    def given(self, node):
        """The attributes of an element, not of those in it, as in the tables.
        """
        if node.tag == RNG + "attribute":
            return {node.get("name"): False} if node.get("name") else {}
        if node.tag == RNG + "ref":
            target = self.defines[node.get("name")]
            return self.inside(target)
        return self.inside(node)

    def inside(self, node):
        """Those of all children together."""
        parts = [self.given(n) for n in node if n.tag != RNG + "element"]
        names = set().union(*parts)
        if node.tag in (RNG + "optional", RNG + "zeroOrMore"):
            return {n: True for n in names}
        # one branch of a choice is enough to have it, and to lack it
        combine = any if node.tag == RNG + "choice" else all
        missing = node.tag == RNG + "choice"
        return {n: combine(p.get(n, missing) for p in parts
                           if missing or n in p) for n in names}

    def excepted(self, element):
        """The attributes that are not among those that pass unseen."""
        return {n.text for a in element.iter(RNG + "attribute")
                for n in a.iter(RNG + "name") if n.get("ns") == ""}


def compare(where, fields, given, excepted):
    """Prints how they differ."""
    for name in sorted(set(fields) | set(given) | excepted):
        attribute = "%s, attribute %s: " % (where, name)
        if name not in given:
            print(attribute + "not in the schema")
        elif name not in fields:
            print(attribute + "not in the tables")
        elif fields[name] and not given[name]:
            print(attribute + "may be missing, but not in the schema")
        elif not fields[name] and given[name]:
            print(attribute + "may be missing in the schema alone")
        elif name not in excepted:
            print(attribute + "any value passes the schema")


def from_manual(path):
    """Element -> attributes, from lines such as ".It Sy vm Ar uuid name"."""
    with open(path, encoding="utf-8") as file:
        return {name: set(attributes.split()) for name, attributes in
                re.findall(r"^\.It Sy (\S+) Ar (.*)$", file.read(), re.M)}


def from_golden(paths):
    """Pairs of element and attribute that stand in a golden file."""
    return {(node.tag.partition("}")[2], name) for path in paths
            for node in ElementTree.parse(path).iter() for name in node.attrib}


def main():
    """Compares all elements that have a table."""
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    elements = from_tables(text)
    schema = Schema(sys.argv[2])
    manual = from_manual(sys.argv[3])
    golden = from_golden(sys.argv[4:])
    # a table is declared before it is defined
    declared = set(re.findall(r"RfpField (\w+)_fields\[", text))
    for name in sorted(declared - set(elements)):
        print("the table of %s cannot be read" % name)
    for name, fields in elements.items():
        element = schema.defines[name].find(RNG + "element")
        compare(name, fields, schema.inside(element),
                schema.excepted(element))
        listed = manual.get(name, set())
        for attribute in sorted(set(fields) ^ listed):
            print("%s, attribute %s: %s" % (
                name, attribute, "in the manual alone" if attribute in listed
                else "not in the manual"))
        for attribute in sorted(fields):
            if (name, attribute) not in golden:
                print("%s, attribute %s: in no golden file" % (
                    name, attribute))


main()
