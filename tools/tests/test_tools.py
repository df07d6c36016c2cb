"""The checkers are tests themselves, so each rule is shown to fail on a small bad tree."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).parent.parent

PAGE = """
<!-- check_layers: order -->
| base | low |
| net | middle |
| gateway | high |
<!-- end -->
<!-- check_layers: sans-io -->
    gateway/codec*
<!-- end -->
<!-- check_layers: confined -->
    openssl   net/*
<!-- end -->
"""


class Tree(unittest.TestCase):
    """A small project in a temporary folder."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.write("ARCHITECTURE.md", PAGE)
        self.write("dev", "cmd_build() {\n}\n")
        for module, links in (("base", ""), ("net", "LINKS base"), ("gateway", "LINKS base net")):
            sources = f"{module}.cc codec.cc" if module == "gateway" else f"{module}.cc"
            self.write(f"src/{module}/CMakeLists.txt", f"sluice_module({module} SOURCES {sources} {links})\n")
            for source in sources.split():
                self.write(f"src/{module}/{source}", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_tool(self, tool):
        done = subprocess.run([TOOLS / tool, self.root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def assert_fails(self, tool, expected):
        code, output = self.run_tool(tool)
        self.assertEqual(code, 1, output)
        self.assertIn(expected, output)

    def assert_passes(self, tool):
        code, output = self.run_tool(tool)
        self.assertEqual(code, 0, output)


class CheckLayers(Tree):
    def test_good_tree_passes(self):
        self.write("src/gateway/gateway.cc", '#include "net/x.h"\n')
        self.write("src/net/x.h", "")
        self.assert_passes("check_layers")

    def test_include_against_the_order_fails(self):
        self.write("src/gateway/x.h", "")
        self.write("src/net/net.cc", '#include "gateway/x.h"\n')
        self.assert_fails("check_layers", "net may not include gateway")

    def test_include_of_an_unlinked_module_fails(self):
        self.write("src/gateway/CMakeLists.txt", "sluice_module(gateway SOURCES gateway.cc LINKS base)\n")
        self.write("src/net/x.h", "")
        self.write("src/gateway/gateway.cc", '#include "net/x.h"\n')
        self.assert_fails("check_layers", "does not link")

    def test_link_against_the_order_fails(self):
        self.write("src/net/CMakeLists.txt", "sluice_module(net SOURCES net.cc LINKS base gateway)\n")
        self.assert_fails("check_layers", "links gateway, which stands below it")

    def test_module_missing_from_the_page_fails(self):
        self.write("src/extra/extra.cc", "")
        self.assert_fails("check_layers", "src/extra: not in ARCHITECTURE.md's order")

    def write_inner_module(self, links):
        """gateway/inner, which stands above gateway."""
        self.write("ARCHITECTURE.md", PAGE.replace("| gateway |", "| gateway/inner | inner |\n| gateway |"))
        self.write("src/gateway/inner/CMakeLists.txt", f"sluice_module(gateway_inner SOURCES x.cc {links})\n")
        self.write("src/gateway/inner/x.cc", "")
        self.write("src/gateway/inner/x.h", "")
        self.write("src/gateway/x.h", "")
        self.write("src/gateway/gateway.cc", '#include "gateway/inner/x.h"\n')

    def test_inner_folder_is_a_module(self):
        self.write_inner_module("LINKS base")
        self.assert_fails("check_layers", "includes gateway/inner, which its CMakeLists.txt does not link")
        self.write("src/gateway/CMakeLists.txt", "sluice_module(gateway SOURCES gateway.cc LINKS gateway_inner)\n")
        self.assert_passes("check_layers")

    def test_inner_folder_that_includes_the_outer_fails(self):
        self.write_inner_module("LINKS base")
        self.write("src/gateway/inner/x.cc", '#include "gateway/x.h"\n')
        self.assert_fails("check_layers", "gateway/inner may not include gateway, which stands below it")

    def test_inner_folder_that_links_the_outer_fails(self):
        self.write_inner_module("LINKS gateway")
        self.assert_fails("check_layers", "src/gateway/inner/CMakeLists.txt: links gateway, which stands below it")

    def test_inner_folder_missing_from_the_page_fails(self):
        self.write("src/gateway/inner/x.h", "")
        self.write("src/gateway/gateway.cc", '#include "gateway/inner/x.h"\n')
        self.assert_fails("check_layers", "src/gateway/inner: not in ARCHITECTURE.md's order")

    def test_module_that_is_gone_fails(self):
        (self.root / "src/net/net.cc").unlink()
        self.assert_fails("check_layers", "names module net, which has no source")

    def test_sans_io_file_with_net_fails(self):
        self.write("src/net/x.h", "")
        self.write("src/gateway/codec.cc", '#include "net/x.h"\n')
        self.assert_fails("check_layers", "is sans-I/O")

    def test_sans_io_file_that_is_gone_fails(self):
        (self.root / "src/gateway/codec.cc").unlink()
        self.assert_fails("check_layers", "gateway/codec* names no file")

    def test_third_party_header_out_of_place_fails(self):
        self.write("src/gateway/gateway.cc", "#include <openssl/ssl.h>\n")
        self.assert_fails("check_layers", "belongs in net/* only")

    def test_third_party_header_in_an_inner_folder_of_its_place_fails(self):
        self.write("ARCHITECTURE.md", PAGE.replace("| net |", "| net/inner | inner |\n| net |"))
        self.write("src/net/inner/x.cc", "#include <openssl/ssl.h>\n")
        self.assert_fails("check_layers", "belongs in net/* only")

    def test_product_code_that_includes_testing_fails(self):
        self.write("src/testing/fake.h", "")
        self.write("src/gateway/gateway.cc", '#include "testing/fake.h"\n')
        self.assert_fails("check_layers", "only tests may include testing/")


class Tidy(Tree):
    def test_good_tree_passes(self):
        self.assert_passes("tidy")

    def test_long_file_fails(self):
        self.write("src/base/base.cc", "\n" * 601)
        self.assert_fails("tidy", "601 lines")

    def test_long_function_fails(self):
        self.write("src/base/base.cc", "int f() {\n" + "  g();\n" * 70 + "}\n")
        self.assert_fails("tidy", "function of 72 lines")

    def test_awaited_condition_fails(self):
        self.write("src/base/base.cc", "  if (!co_await wait()) co_return;\n")
        self.assert_fails("tidy", "GCC 12")

    def test_await_behind_a_condition_passes(self):
        self.write("src/base/base.cc", "  if (slow) co_await wait();\n")
        self.assert_passes("tidy")

    def test_long_line_fails(self):
        self.write("src/base/base.cc", "// " + "x" * 100 + "\n")
        self.assert_fails("tidy", "103 columns")

    def test_banned_call_fails_with_its_replacement(self):
        self.write("src/base/base.cc", "int x = atoi(text);\n")
        self.assert_fails("tidy", "use parse_int64")

    def test_property_that_nobody_asserts_fails(self):
        self.write("src/base/base.cc", "  rc::check([](int x) { RC_ASSERT(x == x); });\n")
        self.assert_fails("tidy", "EXPECT_TRUE(rc::check(")

    def test_property_that_is_asserted_passes(self):
        self.write("src/base/base.cc", "  EXPECT_TRUE(rc::check([](int x) { RC_ASSERT(x == x); }));\n")
        self.assert_passes("tidy")

    def test_banned_word_in_a_string_or_comment_passes(self):
        self.write("src/base/base.cc", 'auto x = "atoi(1)";  // not atoi(2)\n')
        self.assert_passes("tidy")

    def test_source_that_nobody_builds_fails(self):
        self.write("src/base/lost.cc", "")
        self.assert_fails("tidy", "no CMakeLists.txt builds it")

    def test_header_that_nobody_includes_fails(self):
        self.write("src/base/lost.h", "// Lost.\n#pragma once\n")
        self.assert_fails("tidy", "nothing but its own source includes it")

    def test_header_without_purpose_fails(self):
        self.write("src/base/x.h", "#pragma once\n")
        self.write("src/base/base.cc", '#include "base/x.h"\n')
        self.assert_fails("tidy", "says what it is for")


class CheckDocs(Tree):
    def test_good_page_passes(self):
        self.write("README.md", "See `src/base/base.cc` and `./dev build`.\n")
        self.assert_passes("check_docs")

    def test_stale_path_fails(self):
        self.write("README.md", "See `src/base/gone.cc`.\n")
        self.assert_fails("check_docs", "`src/base/gone.cc` does not exist")

    def test_stale_symbol_fails(self):
        self.write("README.md", "Call `Gate::open` first.\n")
        self.assert_fails("check_docs", "no such symbol")

    def test_unknown_command_fails(self):
        self.write("README.md", "Run `./dev fly`.\n")
        self.assert_fails("check_docs", "no such command")

    def test_line_number_fails(self):
        self.write("README.md", "See `base.cc:12`.\n")
        self.assert_fails("check_docs", "lines drift")

    def test_undocumented_key_fails(self):
        self.write("src/sluiced/config.cc", 'mapping.take("basePath");\n')
        self.assert_fails("check_docs", "key `basePath` is not documented")

    def test_undocumented_key_of_the_mapping_fails(self):
        self.write("src/backend/kubernetes/cache/mapping.cc", 'map.take("phase");\n')
        self.assert_fails("check_docs", "docs/operate/mapping.md: key `phase` is not documented")

    def test_documented_metric_that_is_gone_fails(self):
        self.write("docs/operate/metrics.md", "| `sluice_gone_total` | x |\n")
        self.assert_fails("check_docs", "metric `sluice_gone_total` does not exist")

    def write_api(self, path="/status", field="pod"):
        self.write("src/gateway/router.cc", '    {"/status", Endpoint::ClusterStatus},\n')
        self.write("src/gateway/log_request.cc", 'TRY(request.target.pod, query.text("pod"));\n')
        self.write("docs/user/openapi.yaml", f"paths:\n  {path}:\n    get:\n      parameters:\n"
                   f"        - name: {field}\n          in: query\n")

    def test_api_that_is_described_passes(self):
        self.write_api()
        self.assert_passes("check_docs")

    def test_route_that_is_not_described_fails(self):
        self.write_api(path="/other")
        self.assert_fails("check_docs", "path `/status` is not documented")
        self.assert_fails("check_docs", "path `/other` does not exist in the source")

    def test_query_field_that_is_not_described_fails(self):
        self.write_api(field="container")
        self.assert_fails("check_docs", "query field `pod` is not documented")
        self.assert_fails("check_docs", "query field `container` does not exist in the source")


class FuzzCoverage(Tree):
    def setUp(self):
        super().setUp()
        loader = importlib.machinery.SourceFileLoader("fuzz_coverage", str(TOOLS / "fuzz_coverage"))
        self.tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("fuzz_coverage", loader))
        loader.exec_module(self.tool)

    def test_subject_is_what_the_target_is_named_for_and_includes_but_for_what_is_everybodys(self):
        for name in ("src/net/codec.h", "src/net/codec.cc", "src/net/frame.h"):
            self.write(name, "")
        self.write("src/net/codec_fuzz.cc", '#include <string>\n#include "net/frame.h"\n#include "base/text.h"\n'
                   '#include "testing/require.h"\n#include "net/codec_test_support.h"\n')
        for name in ("src/base/text.h", "src/testing/require.h", "src/net/codec_test_support.h"):
            self.write(name, "")
        files = self.tool.subject(self.root / "src/net/codec_fuzz.cc", self.root / "src")
        self.assertEqual([path.name for path in files], ["codec.cc", "codec.h", "frame.h"])

    def test_lines_are_counted_for_each_file_and_for_all(self):
        files = [pathlib.Path("a.cc"), pathlib.Path("a.h"), pathlib.Path("b.cc")]
        report = {"data": [{"files": [
            {"filename": "a.cc", "summary": {"lines": {"covered": 9, "count": 10}}},
            {"filename": "b.cc", "summary": {"lines": {"covered": 0, "count": 30}}},
            {"filename": "other.cc", "summary": {"lines": {"covered": 5, "count": 5}}}]}]}
        self.assertEqual(self.tool.table("a_fuzz", files, self.tool.lines_of(report)), [
            "a_fuzz:  22 % of   40 lines", "   90 % of   10 lines  a.cc", "    0 % of   30 lines  b.cc"])


if __name__ == "__main__":
    unittest.main()
