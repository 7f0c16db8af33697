// Merging. Ranks (Source::rank) are handed out going down: the file has 0, its bases -1, -2, ...
// from the last to the first, each followed by its own bases; so a larger rank always means "wins".
#include "framework/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "framework/base/error.h"
#include "framework/config/node.h"
#include "framework/config/parse.h"
#include "framework/config/utf8.h"

namespace pare::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBase = "_base_";
constexpr std::string_view kDelete = "_delete_";
constexpr std::string_view kSchema = "$schema";  // for editors
constexpr int kMostFiles =
    100;  // a base named twice is loaded twice: bounds what two small files can cost

void require_object(const Value& document) {
  if (!document.is<Members>()) Node(document, "").expected("an object");
}

bool drops_inherited(const Value& value) {
  const Value* mark = value.find(kDelete);
  return mark && Node(*mark, std::string(kDelete)).boolean();
}

void erase_key(Value& object, std::string_view key) {
  std::erase_if(object.as<Members>(), [&](const Member& member) { return member.key == key; });
}

void erase_delete_marks(Value& value) {
  if (value.is<List>()) {
    for (Value& item : value.as<List>()) erase_delete_marks(item);
  } else if (value.is<Members>()) {
    drops_inherited(value);  // a mark must be true or false even where there was nothing to drop
    erase_key(value, kDelete);
    for (Member& member : value.as<Members>()) erase_delete_marks(member.value);
  }
}

void merge_into(Value& base, Value over) {
  if (!base.is<Members>() || !over.is<Members>() || drops_inherited(over)) {
    base = std::move(over);
    return;
  }
  base.origin = over.origin;
  for (Member& member : over.as<Members>()) {
    if (Value* inherited = base.find(member.key)) {
      merge_into(*inherited, std::move(member.value));
    } else {
      base.as<Members>().push_back(std::move(member));
    }
  }
}

// Follows `_base_` of one document after the other.
class Loader {
 public:
  Value file(const std::string& path) {
    if (-next_rank_ >= kMostFiles) {
      throw ConfigError(fmt::format("{}: more than {} files through _base_", path, kMostFiles));
    }
    const std::string canonical = fs::weakly_canonical(path).string();
    if (std::find(open_.begin(), open_.end(), canonical) != open_.end()) {
      throw ConfigError(fmt::format("{}: it is its own _base_ (a cycle)", path));
    }
    open_.push_back(canonical);
    Value result = document(parse_file(path, next_rank_--));
    open_.pop_back();
    return result;
  }

  Value text(std::string_view text, const std::string& name) {
    return document(parse_text(text, Source{.name = name, .rank = next_rank_--}));
  }

 private:
  // The document on top of its bases.
  Value document(Value own) {
    require_object(own);
    if (const Value* schema = own.find(kSchema)) {
      Node(*schema, std::string(kSchema)).text();
      erase_key(own, kSchema);
    }
    std::vector<Value> bases;  // from the last, which wins, to the first
    if (const Value* named = own.find(kBase)) {
      const Node node(*named, std::string(kBase));
      std::vector<Node> names = node.is_list() ? node.items() : std::vector<Node>{node};
      std::reverse(names.begin(), names.end());
      for (const Node& name : names) bases.push_back(base(name));
      erase_key(own, kBase);
    }
    Value result(Members{}, own.origin);
    for (auto it = bases.rbegin(); it != bases.rend(); ++it) merge_into(result, std::move(*it));
    merge_into(result, std::move(own));
    return result;
  }

  Value base(const Node& name) {
    if (!name.is_text()) name.expected("a path or a list of paths");
    const std::string path = (fs::path(name.folder()) / name.text()).lexically_normal().string();
    try {
      return file(path);
    } catch (const ConfigError& error) {
      // Say who asked for a file that is missing or a cycle; faults inside it carry their own
      // position.
      if (std::string_view(error.what()).starts_with(path + ": ")) name.fail(error.what());
      throw;
    }
  }

  int next_rank_ = 0;
  std::vector<std::string> open_;  // canonical paths of the files being loaded
};

Value with_assignments(Value document, std::span<const std::string> assignments) {
  Value root(Members{}, document.origin);
  merge(root, std::move(document));
  int rank = 0;
  for (const std::string& assignment : assignments) assign(root, assignment, ++rank);
  return root;
}

// "--set optimizer.kind=sgd", shortened where it is long.
std::string name_of(const std::string& assignment) {
  constexpr std::size_t kShown = 80;
  return "--set " +
         (assignment.size() <= kShown ? assignment : assignment.substr(0, kShown) + "...");
}

// One step down, making what is missing. `path` is the way so far, for messages.
Value& enter(Value& here, const Step& step, const Origin& origin, const std::string& path) {
  const Node node(here, path);
  if (step.is_index) {
    if (node.is_null()) here = Value(List{}, origin);
    if (!here.is<List>())
      fail_at(Value(nullptr, origin), path, "expected a list, got " + here.summary());
    List& list = here.as<List>();
    if (step.index > list.size()) {
      fail_at(Value(nullptr, origin), path,
              fmt::format("it has {} entries, so [{}] is too far", list.size(), step.index));
    }
    if (step.index == list.size()) list.emplace_back(nullptr, origin);
    return list[step.index];
  }
  if (here.is<List>()) {
    fail_at(Value(nullptr, origin), path,
            fmt::format("it is a list: its first entry is {}[0]", path));
  }
  if (!here.is<Members>()) here = Value(Members{}, origin);
  if (Value* found = here.find(step.key)) return *found;
  here.as<Members>().push_back({std::string(step.key), origin, Value(nullptr, origin)});
  return here.as<Members>().back().value;
}

// `value` at `where` below `root`; `refuse` throws.
void put(Value& root, std::string_view where, Value value,
         const std::function<void(const std::string&)>& refuse) {
  Value* here = &root;
  std::string path;
  Step step;
  for (int depth = 0; !where.empty(); ++depth) {
    if (depth == kDeepest) refuse(fmt::format("more than {} levels of nesting", kDeepest));
    if (!take_step(here, where, step)) refuse("expected a path like phases[0].epochs");
    if (step.key == kBase || step.key == kDelete)
      refuse(fmt::format("{} belongs in a file", step.key));
    here = &enter(*here, step, value.origin, path);
    path = join_path(path, step.is_index ? fmt::format("[{}]", step.index) : std::string(step.key));
  }
  merge(*here, std::move(value));
}

// Everything in `value` was given as late as `rank` says; where it stands is kept.
void set_rank(Value& value, int rank) {
  Source source = value.origin.source ? *value.origin.source : Source{.name = "config"};
  source.rank = rank;
  value.origin.source = std::make_shared<const Source>(std::move(source));
  if (value.is<List>()) {
    for (Value& item : value.as<List>()) set_rank(item, rank);
  } else if (value.is<Members>()) {
    for (Member& member : value.as<Members>()) {
      member.origin.source = value.origin.source;
      set_rank(member.value, rank);
    }
  }
}

}  // namespace

void merge(Value& base, Value over) {
  merge_into(base, std::move(over));
  erase_delete_marks(base);
}

void assign(Value& root, const std::string& assignment, int rank) {
  const Source source{.name = name_of(assignment), .rank = rank, .has_lines = false};
  const auto refuse = [&](const std::string& why) { throw ConfigError(source.name + ": " + why); };
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    refuse("expected PATH=VALUE, for example optimizer.learning_rate=0.01");
  }
  if (!is_utf8(assignment)) refuse("expected text in UTF-8, got other bytes");

  const std::string_view given = std::string_view(assignment).substr(equals + 1);
  Value value;
  try {
    value = parse_text(given, source);
  } catch (const ConfigError&) {  // not JSON: a string that needs no quotes on the command line
    value = Value(std::string(given), {std::make_shared<const Source>(source), 1, 1});
  }

  put(root, std::string_view(assignment).substr(0, equals), std::move(value), refuse);
}

void assign(Value& root, std::string_view path, Value value, int rank) {
  const std::string where = value.origin.text();
  set_rank(value, rank);
  put(root, path, std::move(value), [&](const std::string& why) {
    throw ConfigError(fmt::format("{}: '{}': {}", where, path, why));
  });
}

Value load_file(const std::string& path, std::span<const std::string> assignments) {
  return with_assignments(Loader().file(path), assignments);
}

Value load_text(std::string_view text, const std::string& name,
                std::span<const std::string> assignments) {
  return with_assignments(Loader().text(text, name), assignments);
}

}  // namespace pare::config
