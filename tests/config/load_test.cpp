// Merging of bases, file and --set, and the origin that every value keeps.
#include "framework/config/load.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "framework/base/file.h"
#include "framework/config/config.h"
#include "tests/config/message.h"

namespace pare::config {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("pare_load_test_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path / "sub"); }
  ~Folder() { fs::remove_all(path); }
  std::string put(const std::string& name, std::string_view text) const {
    write_file_atomically((path / name).string(), text);
    return (path / name).string();
  }
  // Messages without the folder's name.
  std::string relative(std::string message) const {
    const std::string prefix = path.string() + "/";
    for (std::size_t at; (at = message.find(prefix)) != std::string::npos;)
      message.erase(at, prefix.size());
    return message;
  }
  std::string fault(const std::string& name) const {
    return relative(message_of([&] { load_file((path / name).string()); }));
  }
};

std::string merged(std::string_view text, std::vector<std::string> assignments) {
  return to_json(load_text(text, "x.json", assignments)).dump();
}
std::string refusal(std::string_view text, const std::string& assignment) {
  return message_of([&] { load_text(text, "x.json", std::vector{assignment}); });
}

TEST_CASE("a file is merged over its bases, objects by key, all else replaced") {
  const Folder folder;
  folder.put("sub/first.json", R"({"a": 1, "o": {"x": 1, "y": {"z": 1}}, "l": [1, 2]})");
  folder.put("sub/second.json", R"({"_base_": "first.json", "a": 2, "o": {"y": {"w": 2}}})");
  folder.put("other.json", R"({"o": {"x": 7}})");
  const std::string file = folder.put(
      "x.json", R"({"_base_": ["sub/second.json", "other.json"], "l": [3], "new": null})");
  const Value root = load_file(file);
  CHECK(to_json(root).dump() == R"({"a":2,"o":{"x":7,"y":{"z":1,"w":2}},"l":[3],"new":null})");
  CHECK(folder.relative(root.find("a")->origin.text()) == "sub/second.json:1:31");
  CHECK(folder.relative(root.find("o")->find("y")->find("z")->origin.text()) ==
        "sub/first.json:1:35");
  CHECK(folder.relative(root.find("l")->as<List>()[0].origin.text()) == "x.json:1:53");
}

TEST_CASE("ranks order values by how late they were given") {
  const Folder folder;
  folder.put("deep.json", R"({"a": 1})");
  folder.put("low.json", R"({"b": 1})");
  folder.put("high.json", R"({"_base_": "deep.json", "c": 1})");
  const std::string file =
      folder.put("x.json", R"({"_base_": ["low.json", "high.json"], "d": {"e": 1}})");
  const Value root = load_file(file, std::vector<std::string>{"f=1", "d.g=2"});
  const auto rank = [&](const char* key) { return root.find(key)->latest_rank(); };
  CHECK(rank("b") < rank("a"));  // high.json and its base win over low.json
  CHECK(rank("a") < rank("c"));
  CHECK(rank("c") < 0);
  CHECK(root.find("d")->find("e")->latest_rank() == 0);
  CHECK(rank("f") == 1);
  CHECK(rank("d") == 2);  // something inside it was given last
}

TEST_CASE("_delete_ drops what an object inherits and then takes its own keys") {
  const Folder folder;
  folder.put("base.json", R"({"o": {"x": 1, "y": 2}, "p": {"q": 1}})");
  const std::string file = folder.put(
      "x.json",
      R"({"_base_": "base.json", "o": {"_delete_": true, "z": 3}, "p": {"_delete_": false, "r": 2},
          "l": [{"_delete_": true, "s": 1}]})");
  CHECK(to_json(load_file(file)).dump() == R"({"o":{"z":3},"p":{"q":1,"r":2},"l":[{"s":1}]})");
  folder.put("bad.json", R"({"o": {"_delete_": 1}})");
  CHECK(folder.fault("bad.json") == "bad.json:1:20: _delete_: expected true or false, got 1");
}

TEST_CASE(
    "bases that are missing, circular or of the wrong type are refused at the place that names "
    "them") {
  const Folder folder;
  folder.put("missing.json", R"({"_base_": "nothing.json"})");
  CHECK(folder.fault("missing.json") ==
        "missing.json:1:12: _base_: nothing.json: cannot read: No such file or directory");
  folder.put("self.json", R"({"_base_": "self.json"})");
  CHECK(folder.fault("self.json") ==
        "self.json:1:12: _base_: self.json: it is its own _base_ (a cycle)");
  folder.put("a.json", R"({"_base_": ["sub/b.json"]})");
  folder.put("sub/b.json", R"({"_base_": "../a.json"})");
  CHECK(folder.fault("a.json") ==
        "sub/b.json:1:12: _base_: a.json: it is its own _base_ (a cycle)");
  folder.put("type.json", R"({"_base_": 3})");
  CHECK(folder.fault("type.json") ==
        "type.json:1:12: _base_: expected a path or a list of paths, got 3");
  folder.put("broken.json", "{\n  \"a\": ,\n}");
  folder.put("uses.json", R"({"_base_": "broken.json"})");
  CHECK(folder.fault("uses.json") == "broken.json:2:8: expected a value, got ','");
  CHECK(folder.fault("absent.json") == "absent.json: cannot read: No such file or directory");
  folder.put("list.json", "[]");
  CHECK(folder.fault("list.json") == "list.json:1:1: expected an object, got an empty list");
}

TEST_CASE("bases that double at every level end in an error") {
  const Folder folder;
  folder.put("0.json", "{}");
  for (int i = 1; i <= 20; ++i) {
    const std::string below = std::to_string(i - 1) + ".json";
    folder.put(std::to_string(i) + ".json", "{\"_base_\": [\"" + below + "\", \"" + below + "\"]}");
  }
  CHECK(folder.fault("20.json").find("more than 100 files through _base_") != std::string::npos);
}

TEST_CASE("--set replaces, creates, appends and merges") {
  CHECK(merged(R"({"a": {"b": 1}})", {"a.b=2"}) == R"({"a":{"b":2}})");
  CHECK(merged("{}", {"a.b.c=0.5"}) == R"({"a":{"b":{"c":0.5}}})");
  CHECK(merged(R"({"p": [{"e": 1}, {"e": 2}]})", {"p[1].e=3"}) == R"({"p":[{"e":1},{"e":3}]})");
  CHECK(merged(R"({"p": [1]})", {"p[1]=2", "p[2]=3"}) == R"({"p":[1,2,3]})");
  CHECK(merged("{}", {"p[0].e=1"}) == R"({"p":[{"e":1}]})");
  CHECK(merged(R"({"a": 0.1})", {"a.from=1"}) == R"({"a":{"from":1}})");
  CHECK(merged(R"({"a": {"x": 1}})", {R"(a={"y": 2})"}) == R"({"a":{"x":1,"y":2}})");
  CHECK(merged(R"({"a": {"x": 1}})", {R"(a={"_delete_": true, "y": 2})"}) == R"({"a":{"y":2}})");
  CHECK(merged(R"({"a": [1, 2]})", {"a=[]"}) == R"({"a":[]})");
  CHECK(merged(R"({"a": 1})", {"a=2", "a=3"}) == R"({"a":3})");
}

TEST_CASE("--set takes what is no JSON as a string") {
  CHECK(merged("{}", {"a=mnist"}) == R"({"a":"mnist"})");
  CHECK(merged("{}", {"a=\"1\""}) == R"({"a":"1"})");
  CHECK(merged("{}", {"a="}) == R"({"a":""})");
  CHECK(merged("{}", {"a=x=y"}) == R"({"a":"x=y"})");
  CHECK(merged("{}", {"a=1 2"}) == R"({"a":"1 2"})");
}

TEST_CASE("--set finds keys that hold dots") {
  CHECK(merged(R"({"c": {"q.8": {"bits": 8}, "q": 1}})", {"c.q.8.bits=4"}) ==
        R"({"c":{"q.8":{"bits":4},"q":1}})");
  CHECK(merged(R"({"c": {"q.8": [1]}})", {"c.q.8[0]=2"}) == R"({"c":{"q.8":[2]}})");
}

TEST_CASE("values of --set name it as their origin") {
  const Value root = load_text("{}", "x", std::vector<std::string>{"a.b=1"});
  CHECK(root.find("a")->find("b")->origin.text() == "--set a.b=1");
  CHECK(root.find("a")->origin.text() == "--set a.b=1");
}

TEST_CASE("assignments that make no sense are refused") {
  const std::string example = "expected PATH=VALUE, for example optimizer.learning_rate=0.01";
  CHECK(refusal("{}", "a") == "--set a: " + example);
  CHECK(refusal("{}", "=1") == "--set =1: " + example);
  const std::string path = "expected a path like phases[0].epochs";
  for (const char* text : {"a..b=1", ".a=1", "a.=1", "a[=1", "a[]=1", "a[x]=1", "a[-1]=1",
                           "a[1]b=1", "a.[0]=1", "a[99999999999]=1"}) {
    CAPTURE(text);
    CHECK(refusal("{\"a\": [1, 2, 3]}", text) == std::string("--set ") + text + ": " + path);
  }
  CHECK(refusal(R"({"p": [1]})", "p[2]=1") ==
        "--set p[2]=1: p: it has 1 entries, so [2] is too far");
  CHECK(refusal(R"({"p": [1]})", "p.x=1") ==
        "--set p.x=1: p: it is a list: its first entry is p[0]");
  CHECK(refusal(R"({"p": "m.json"})", "p[0]=1") ==
        "--set p[0]=1: p: expected a list, got \"m.json\"");
  CHECK(refusal("{}", "_base_=x") == "--set _base_=x: _base_ belongs in a file");
  CHECK(refusal("{}", "a=\xFF") == "--set a=\xFF: expected text in UTF-8, got other bytes");
  std::string deep = "a";
  for (int i = 0; i < 100; ++i) deep += ".a";
  CHECK(refusal("{}", deep + "=1").ends_with("more than 64 levels of nesting"));
}

TEST_CASE("paths lead to values, and to the nearest existing parent") {
  const Value root = load_text(R"({"p": [{"a.b": [10, 20]}]})", "x.json");
  CHECK(find_path(root, "p[0].a.b[1]")->as<std::int64_t>() == 20);
  CHECK(find_path(root, "") == &root);
  CHECK(find_path(root, "p[1]") == nullptr);
  CHECK(find_path(root, "p.x") == nullptr);
  CHECK(find_path(root, "p[0]]") == nullptr);
  CHECK(&deepest(root, "p[0].c.d") == find_path(root, "p[0]"));
}

}  // namespace
}  // namespace pare::config
