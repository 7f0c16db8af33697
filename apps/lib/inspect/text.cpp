#include "apps/lib/inspect/text.h"

#include <fmt/format.h>

#include "apps/lib/inspect/table.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;

std::string percent(const Json& fraction) {
  return fraction.is_number() ? fmt::format("{:.2f} %", 100 * fraction.get<double>()) : "-";
}

std::string number(const Json& n) { return n.is_number() ? grouped(n.get<std::int64_t>()) : ""; }

std::string text_of(const Json& json) { return json.is_string() ? json.get<std::string>() : "-"; }

// [28, 28, 1] -> "28 x 28 x 1"; nothing for a single number.
std::string extents(const Json& shape) {
  std::string text;
  for (const Json& extent : shape) text += (text.empty() ? "" : " x ") + extent.dump();
  return text;
}

std::string network_text(const Json& network) {
  TextTable table({"node", "kind", "output", ">parameters", ">MACs"});
  table.add({"input", "", extents(network["input"]), "", ""});
  for (const Json& node : network["nodes"]) {
    const bool has_weights = node["parameters"] != 0, works = node["macs"] != 0;
    table.add({text_of(node["name"]), text_of(node["kind"]), extents(node["shape"]),
               has_weights ? number(node["parameters"]) : "", works ? number(node["macs"]) : ""});
  }
  table.add({"total", "", "", number(network["parameters"]), number(network["macs"])});
  return table.text();
}

std::string config_text(const Json& d, TextDetail) {
  std::string text = d["path"].get<std::string>() + ": a config, with every default\n\n" +
                     config::pretty(d["config"]);
  if (d["network"].is_null())
    return text + "\nThe network's shapes are known with the data only: ./pare train --plan.\n";
  return text + "\n" + network_text(d["network"]);
}

// What hangs on the parameters, in one line each.
std::string chains_text(const Json& chains) {
  if (chains.empty()) return "  nothing is attached to its parameters\n";
  TextTable table({"parameter", "attached"});
  for (auto it = chains.begin(); it != chains.end(); ++it) {
    std::string names;
    for (const Json& transform : *it) {
      names += names.empty() ? "" : ", ";
      names += text_of(transform["kind"]);
      if (transform.contains("bits"))
        names +=
            " (" + transform["bits"].dump() + " bits, " + text_of(transform["quantizer"]) + ")";
    }
    table.add({it.key(), names});
  }
  return table.text();
}

std::string arrays_text(const Json& arrays) {
  TextTable table({"array", "type", "shape", ">bytes"});
  for (const Json& array : arrays) {
    table.add({text_of(array["name"]), text_of(array["type"]), extents(array["shape"]),
               number(array["bytes"])});
  }
  return table.text();
}

// Arrays by what stands before the first '/': what a checkpoint spends its bytes on.
std::string groups_text(const Json& arrays) {
  std::vector<std::pair<std::string, std::pair<std::int64_t, std::int64_t>>> groups;
  for (const Json& array : arrays) {
    const std::string name = text_of(array["name"]);
    const std::string group = name.substr(0, name.find('/'));
    if (groups.empty() || groups.back().first != group) groups.push_back({group, {0, 0}});
    ++groups.back().second.first;
    groups.back().second.second += array["bytes"].get<std::int64_t>();
  }
  TextTable table({"group", ">arrays", ">bytes"});
  for (const auto& [name, sums] : groups) {
    table.add({name, grouped(sums.first), grouped(sums.second)});
  }
  return table.text();
}

std::string checkpoint_line(const Json& d) {
  const std::string where = d["phase"].is_null() ? "at the end of its training"
                                                 : "in phase '" + text_of(d["phase"]) + "'";
  return fmt::format("{}: {}, after epoch {} ({} updates), validation {}, {} zero by masks\n",
                     text_of(d["path"]), where, d["epoch"].dump(), number(d["run_step"]),
                     percent(d["accuracy"]["validation"]), percent(d["sparsity"]));
}

std::string checkpoint_text(const Json& d, TextDetail detail) {
  std::string text = checkpoint_line(d) + "a checkpoint of the run '" + text_of(d["name"]) + "', " +
                     number(d["bytes"]) + " bytes\n\n" + groups_text(d["arrays"]) + "\n" +
                     chains_text(d["chains"]);
  if (detail.tree) {
    text += "\n" + network_text(d["network"]) + "\n" + arrays_text(d["arrays"]);
  }
  return text;
}

std::string operations_text(const Json& operations) {
  TextTable table({"operation", "kind", "shape", ">weights", ">zero", ">bits", "coding", ">packed",
                   ">bitmap", ">relative", ">huffman", ">arithmetic", ">MACs"});
  for (const Json& op : operations) {
    if (!op.contains("weights")) {
      table.add({text_of(op["output"]), text_of(op["kind"]), extents(op["shape"]), "", "", "", "",
                 "", "", "", "", "", ""});
      continue;
    }
    const double zero = op["zeros"].get<double>() / op["weights"].get<double>();
    const Json& bytes = op["code_bytes"];
    table.add({text_of(op["output"]), text_of(op["kind"]), extents(op["shape"]),
               number(op["weights"]), fmt::format("{:.1f} %", 100 * zero), op["bits"].dump(),
               text_of(op["coding"]), number(bytes["packed"]), number(bytes["bitmap"]),
               number(bytes["relative_index"]), number(bytes["huffman"]),
               number(bytes["arithmetic"]), number(op["macs"])});
  }
  return table.text();
}

// One line per section, or per part over all operations.
std::string sections_text(const Json& sections, TextDetail detail) {
  if (detail.tree) {
    TextTable table({"section", "of", ">bytes"});
    for (const Json& s : sections) {
      table.add({text_of(s["part"]), text_of(s["operation"]), number(s["bytes"])});
    }
    return table.text();
  }
  std::vector<std::pair<std::string, std::int64_t>> parts;
  for (const Json& section : sections) {
    const std::string part = text_of(section["part"]);
    auto found = parts.begin();
    while (found != parts.end() && found->first != part) ++found;
    if (found == parts.end()) found = parts.insert(parts.end(), {part, 0});
    found->second += section["bytes"].get<std::int64_t>();
  }
  TextTable table({"section", ">bytes"});
  for (const auto& [part, bytes] : parts) table.add({part, grouped(bytes)});
  return table.text();
}

std::string model_text(const Json& d, TextDetail detail) {
  return fmt::format(
             "{}: the model '{}', {} bytes; takes {}, runs in {} bytes of activations; {} "
             "rounding\n\n",
             text_of(d["path"]), text_of(d["name"]), number(d["bytes"]), extents(d["input"]),
             number(d["arena"]), text_of(d["rounding"])) +
         operations_text(d["operations"]) + "\n" + sections_text(d["sections"], detail) +
         fmt::format("  {} bytes in all\n", number(d["bytes"]));
}

std::string layers_text(const Json& layers) {
  TextTable table({"layer", "kind", ">weights", ">zero by mask", ">by rounding", ">bits", ">SQNR",
                   "coding", ">bytes", ">MACs", ">effective", ">us"});
  for (const Json& l : layers) {
    const auto share = [&](const char* key) {
      return fmt::format("{:.1f} %", 100 * l[key].get<double>() / l["weights"].get<double>());
    };
    table.add({text_of(l["name"]), text_of(l["kind"]), number(l["weights"]), share("zeros_by_mask"),
               share("zeros_by_rounding"), l["weight_bits"].dump() + " / " + l["input_bits"].dump(),
               l["sqnr"].is_null() ? "-" : fmt::format("{:.1f} dB", l["sqnr"].get<double>()),
               text_of(l["coding"]), number(l["bytes"]), number(l["macs"]),
               number(l["effective_macs"]), fmt::format("{:.1f}", l["latency_us"].get<double>())});
  }
  return table.text();
}

std::string result_text(const Json& r) {
  const Json& a = r["accuracy"];
  std::string text = fmt::format("  float {}, fake_quant {}, integer {}\n", percent(a["float"]),
                                 percent(a["fake_quant"]), percent(a["integer"]));
  if (a["integer"].is_null()) return text;
  text += fmt::format("  {} of all weights are zero; model.pare has {} bytes (float32: {})\n",
                      percent(r["sparsity"]), number(r["bytes"]["model"]),
                      number(r["bytes"]["float32"]));
  for (const Json& p : r["pruning"]) {
    text += fmt::format("  {}: {} of {} asked for, {} pruned\n", text_of(p["name"]),
                        percent(p["asked"]), text_of(p["granularity"]), percent(p["pruned"]));
  }
  if (const Json& s = r["shrink"]; !s.is_null()) {
    text += fmt::format("  shrunk: {} -> {} MACs, {} -> {} parameters\n",
                        number(s["macs"]["before"]), number(s["macs"]["after"]),
                        number(s["parameters"]["before"]), number(s["parameters"]["after"]));
  }
  return text + "\n" + layers_text(r["layers"]);
}

std::string run_text(const Json& d, TextDetail detail) {
  std::string text =
      fmt::format("{}: the run '{}'\n\n", text_of(d["path"]), text_of(d["config"]["name"]));
  text += d["result"].is_null() ? "  it has no result yet\n" : result_text(d["result"]);
  text += "\n";
  for (const Json& checkpoint : d["checkpoints"]) text += "  " + checkpoint_line(checkpoint);
  TextTable table({"file", ">bytes"});
  for (const Json& file : d["files"]) table.add({text_of(file["name"]), number(file["bytes"])});
  text += "\n" + table.text();
  if (detail.tree) text += "\n" + config::pretty(d["config"]);
  return text;
}

}  // namespace

std::string to_text(const Json& document, TextDetail detail) {
  const Json& what = document["what"];
  if (what == "config") return config_text(document, detail);
  if (what == "checkpoint") return checkpoint_text(document, detail);
  if (what == "model") return model_text(document, detail);
  return run_text(document, detail);
}

}  // namespace pare
