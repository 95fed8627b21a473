# SPDX-License-Identifier: LGPL-2.1-or-later
"""schema.py MANIFEST.C SCHEMA: prints where the two do not say the same.

The tables of fields in set/manifest.c say which attributes each element of
export.xml has, and which of them may be missing. The schema must describe each
of them, and except it from the attributes that it lets pass unseen: else a
manifest with a wrong value is valid.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

RNG = "{http://relaxng.org/ns/structure/1.0}"


def from_tables(text):
    """Element -> {attribute: whether it may be missing}."""
    elements = {}
    for name, body in re.findall(
            r"static const RfpField (\w+)_fields\[\d*\] = \{(.*?)\n\};", text,
            re.S):
        fields = re.findall(
            r'(?:RFP_FIELD\(\s*\w+,\s*[\w.]+,\s*|\.name = )"([\w-]+)"(.*?)(?=RFP_FIELD|\.name =)',
            body, re.S)
        elements[name] = {f: ".optional = TRUE" in rest for f, rest in fields}
    return elements


def walk(node, optional, found):
    """The attributes of an element, not of those in it; and the exceptions."""
    for child in node:
        if child.tag == RNG + "element":
            continue
        if child.tag == RNG + "attribute":
            name = child.get("name")
            if name is None:
                found["except"].update(
                    n.text for n in child.iter(RNG + "name"))
            elif name in found["given"]:
                found["given"][name] |= optional
            else:
                found["given"][name] = optional
        walk(child, optional or child.tag == RNG + "optional", found)


def from_schema(root, name):
    """What the schema says of the element with that name."""
    found = {"given": {}, "except": set()}
    # folders.xml and set.xml have elements of the same names
    for define in root.iter(RNG + "define"):
        element = define.find(RNG + "element")
        if define.get("name") == name and element is not None:
            inline = [d for r in element.iter(RNG + "ref")
                      for d in root.iter(RNG + "define")
                      if d.get("name") == r.get("name")
                      and d.find(RNG + "element") is None]
            walk(element, False, found)
            for part in inline:
                walk(part, False, found)
    return found


def main():
    """Compares all elements that have a table."""
    with open(sys.argv[1], encoding="utf-8") as file:
        elements = from_tables(file.read())
    root = ElementTree.parse(sys.argv[2]).getroot()
    if len(elements) < 10:
        print("only %d tables of fields found" % len(elements))
    for element, fields in elements.items():
        schema = from_schema(root, element)
        for name in sorted(set(fields) | set(schema["given"])):
            where = "%s, attribute %s: " % (element, name)
            if name not in schema["given"]:
                print(where + "not in the schema")
            elif name not in fields:
                print(where + "not in the tables")
            elif fields[name] and not schema["given"][name]:
                print(where + "may be missing, but not in the schema")
            elif not fields[name] and schema["given"][name]:
                print(where + "may be missing in the schema alone")
            elif name not in schema["except"]:
                print(where + "any value passes the schema")


main()
