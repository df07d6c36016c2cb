"""Spellings of a name that some reader along the way might take for the name, or for another one. None of them is a
valid name of Kubernetes (RFC 1123) once it is percent-decoded, if it can be."""
import urllib.parse

FULL_WIDTH = ord("ａ") - ord("a")
LOOK_ALIKE = str.maketrans("aeio", "аеіо")  # Cyrillic


def _overlong(name):
    """The first letter as two bytes of UTF-8, which one has to be."""
    code = ord(name[0])
    return f"%{0xC0 | code >> 6:02X}%{0x80 | code & 0x3F:02X}{name[1:]}"


STRANGE = {
    "NUL": lambda name: name + "%00",
    "NUL and more": lambda name: name + "%00x",
    "slash": lambda name: name + "%2f",
    "slash before": lambda name: "%2F" + name,
    "slash encoded twice": lambda name: name + "%252f",
    "up and down": lambda name: "x%2f%2e%2e%2f" + name,
    "dot": lambda _: ".",
    "dots": lambda _: "%2e%2e",
    "trailing dot": lambda name: name + ".",
    "trailing dot encoded": lambda name: name + "%2e",
    "backslash": lambda name: "x%5C..%5C" + name,
    "space": lambda name: name + "%20",
    "space before": lambda name: "%20" + name,
    "tab": lambda name: name + "%09",
    "line": lambda name: name + "%0d%0aX:y",
    "semicolon": lambda name: name + ";x=1",
    "comma": lambda name: f"{name},{name}",
    "question mark": lambda name: name + "%3F",
    "hash": lambda name: name + "%23",
    "quote": lambda name: name + "%22",
    "wildcard": lambda name: name + "*",
    "only a wildcard": lambda _: "*",
    "upper case": str.upper,
    "capital": str.capitalize,
    "encoded twice": lambda name: "".join(f"%25{ord(letter):02x}" for letter in name),
    "overlong": _overlong,
    "overlong dots": lambda _: "%c0%ae%c0%ae",
    "full width": lambda name: urllib.parse.quote(chr(ord(name[0]) + FULL_WIDTH) + name[1:]),
    "look-alike": lambda name: urllib.parse.quote(name.translate(LOOK_ALIKE)),
    "combining": lambda name: name + "%CC%81",
    "zero width": lambda name: name + "%E2%80%8B",
    "right to left": lambda name: "%E2%80%AE" + name,
    "BOM": lambda name: "%EF%BB%BF" + name,
    "surrogate": lambda name: name + "%ED%A0%80",
    "cut escape": lambda name: name + "%",
    "bad escape": lambda name: name + "%zz",
    "other escape": lambda name: name + "%u0065",
    "long": lambda name: name + "a" * 300,
    "very long": lambda name: name + "a" * 20_000,
}
