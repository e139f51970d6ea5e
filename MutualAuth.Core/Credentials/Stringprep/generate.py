"""Writes unicode-3.2.txt: what SASLprep (RFC 4013) needs of Unicode 3.2, out of Python's own copy of that version and of RFC 3454's tables."""
import stringprep
import unicodedata

old = unicodedata.ucd_3_2_0
everything = [chr(code) for code in range(0x110000)]


def ranges(holds):
    first = None
    for character in everything + [None]:
        inside = character is not None and holds(character)
        if inside and first is None:
            first = last = ord(character)
        elif inside:
            last = ord(character)
        elif first is not None:
            yield f"{first:X}" if first == last else f"{first:X}-{last:X}"
            first = None


def prohibited(character):
    return any(getattr(stringprep, "in_table_" + name)(character) for name in
               ("c12", "c21_c22", "c3", "c4", "c5", "c6", "c7", "c8", "c9"))


def table(name, lines):
    return [f"[{name}]", *lines]


def joined(holds):
    return [" ".join(ranges(holds))]


classes = {}
for character in everything:
    if old.combining(character):
        classes.setdefault(old.combining(character), set()).add(character)

decompositions = []
for character in everything:
    mapping = old.decomposition(character)
    if mapping:
        kind, parts = ("compatible", mapping.split(" ")[1:]) if mapping.startswith("<") else ("canonical", mapping.split(" "))
        composes = kind == "canonical" and old.normalize("NFC", character) == character
        decompositions.append(f"{ord(character):X} {'=' if composes else '>'} {' '.join(f'{int(part, 16):X}' for part in parts)}")

lines = ["# Unicode 3.2 for SASLprep, written by generate.py. Ranges are inclusive; '=' also composes, '>' only decomposes."]
lines += table("unassigned A.1", joined(stringprep.in_table_a1))
lines += table("nothing B.1", joined(stringprep.in_table_b1))
lines += table("space C.1.2", joined(stringprep.in_table_c12))
lines += table("prohibited C", joined(prohibited))
lines += table("right-to-left D.1", joined(stringprep.in_table_d1))
lines += table("left-to-right D.2", joined(stringprep.in_table_d2))
for value in sorted(classes):
    lines += table(f"class {value}", joined(classes[value].__contains__))
lines += table("decompositions", decompositions)
with open("unicode-3.2.txt", "w", encoding="ascii") as file:
    file.write("\n".join(lines) + "\n")
