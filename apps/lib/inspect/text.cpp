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
  table.add({"input", "", extents(network.at("input")), "", ""});
  for (const Json& node : network.at("nodes")) {
    const bool has_weights = node.at("parameters") != 0, works = node.at("macs") != 0;
    table.add({text_of(node.at("name")), text_of(node.at("kind")), extents(node.at("shape")),
               has_weights ? number(node.at("parameters")) : "",
               works ? number(node.at("macs")) : ""});
  }
  table.add({"total", "", "", number(network.at("parameters")), number(network.at("macs"))});
  return table.text();
}

std::string config_text(const Json& d, TextDetail) {
  std::string text = d.at("path").get<std::string>() + ": a config, with every default\n\n" +
                     config::pretty(d.at("config"));
  if (d.at("network").is_null())
    return text + "\nThe network's shapes are known with the data only: ./pare train --plan.\n";
  return text + "\n" + network_text(d.at("network"));
}

// What hangs on the parameters, in one line each.
std::string chains_text(const Json& chains) {
  if (chains.empty()) return "  nothing is attached to its parameters\n";
  TextTable table({"parameter", "attached"});
  for (auto it = chains.begin(); it != chains.end(); ++it) {
    std::string names;
    for (const Json& transform : *it) {
      names += names.empty() ? "" : ", ";
      names += text_of(transform.at("kind"));
      if (transform.contains("bits"))
        names += " (" + transform.at("bits").dump() + " bits, " +
                 text_of(transform.at("quantizer")) + ")";
    }
    table.add({it.key(), names});
  }
  return table.text();
}

std::string arrays_text(const Json& arrays) {
  TextTable table({"array", "type", "shape", ">bytes"});
  for (const Json& array : arrays) {
    table.add({text_of(array.at("name")), text_of(array.at("type")), extents(array.at("shape")),
               number(array.at("bytes"))});
  }
  return table.text();
}

// Arrays by what stands before the first '/': what a checkpoint spends its bytes on.
std::string groups_text(const Json& arrays) {
  std::vector<std::pair<std::string, std::pair<std::int64_t, std::int64_t>>> groups;
  for (const Json& array : arrays) {
    const std::string name = text_of(array.at("name"));
    const std::string group = name.substr(0, name.find('/'));
    if (groups.empty() || groups.back().first != group) groups.push_back({group, {0, 0}});
    ++groups.back().second.first;
    groups.back().second.second += array.at("bytes").get<std::int64_t>();
  }
  TextTable table({"group", ">arrays", ">bytes"});
  for (const auto& [name, sums] : groups) {
    table.add({name, grouped(sums.first), grouped(sums.second)});
  }
  return table.text();
}

std::string checkpoint_line(const Json& d) {
  const std::string where = d.at("phase").is_null() ? "at the end of its training"
                                                    : "in phase '" + text_of(d.at("phase")) + "'";
  return fmt::format("{}: {}, after epoch {} ({} updates), validation {}, {} zero by masks\n",
                     text_of(d.at("path")), where, d.at("epoch").dump(), number(d.at("run_step")),
                     percent(d.at("accuracy").at("validation")), percent(d.at("sparsity")));
}

std::string checkpoint_text(const Json& d, TextDetail detail) {
  std::string text = checkpoint_line(d) + "a checkpoint of the run '" + text_of(d.at("name")) +
                     "', " + number(d.at("bytes")) + " bytes\n\n" + groups_text(d.at("arrays")) +
                     "\n" + chains_text(d.at("chains"));
  if (detail.tree) {
    text += "\n" + network_text(d.at("network")) + "\n" + arrays_text(d.at("arrays"));
  }
  return text;
}

std::string operations_text(const Json& operations) {
  TextTable table({"operation", "kind", "shape", ">weights", ">zero", ">bits", "coding", ">packed",
                   ">bitmap", ">relative", ">huffman", ">arithmetic", ">MACs"});
  for (const Json& op : operations) {
    if (!op.contains("weights")) {
      table.add({text_of(op.at("output")), text_of(op.at("kind")), extents(op.at("shape")), "", "",
                 "", "", "", "", "", "", "", ""});
      continue;
    }
    const double zero = op.at("zeros").get<double>() / op.at("weights").get<double>();
    const Json& bytes = op.at("code_bytes");
    table.add({text_of(op.at("output")), text_of(op.at("kind")), extents(op.at("shape")),
               number(op.at("weights")), fmt::format("{:.1f} %", 100 * zero), op.at("bits").dump(),
               text_of(op.at("coding")), number(bytes.at("packed")), number(bytes.at("bitmap")),
               number(bytes.at("relative_index")), number(bytes.at("huffman")),
               number(bytes.at("arithmetic")), number(op.at("macs"))});
  }
  return table.text();
}

// One line per section, or per part over all operations.
std::string sections_text(const Json& sections, TextDetail detail) {
  if (detail.tree) {
    TextTable table({"section", "of", ">bytes"});
    for (const Json& s : sections) {
      table.add({text_of(s.at("part")), text_of(s.at("operation")), number(s.at("bytes"))});
    }
    return table.text();
  }
  std::vector<std::pair<std::string, std::int64_t>> parts;
  for (const Json& section : sections) {
    const std::string part = text_of(section.at("part"));
    auto found = parts.begin();
    while (found != parts.end() && found->first != part) ++found;
    if (found == parts.end()) found = parts.insert(parts.end(), {part, 0});
    found->second += section.at("bytes").get<std::int64_t>();
  }
  TextTable table({"section", ">bytes"});
  for (const auto& [part, bytes] : parts) table.add({part, grouped(bytes)});
  return table.text();
}

std::string model_text(const Json& d, TextDetail detail) {
  return fmt::format(
             "{}: the model '{}', {} bytes; takes {}, runs in {} bytes of activations; {} "
             "rounding\n\n",
             text_of(d.at("path")), text_of(d.at("name")), number(d.at("bytes")),
             extents(d.at("input")), number(d.at("arena")), text_of(d.at("rounding"))) +
         operations_text(d.at("operations")) + "\n" + sections_text(d.at("sections"), detail) +
         fmt::format("  {} bytes in all\n", number(d.at("bytes")));
}

std::string layers_text(const Json& layers) {
  TextTable table({"layer", "kind", ">weights", ">zero by mask", ">by rounding", ">bits", ">SQNR",
                   "coding", ">bytes", ">MACs", ">effective", ">us"});
  for (const Json& l : layers) {
    const auto share = [&](const char* key) {
      return fmt::format("{:.1f} %", 100 * l.at(key).get<double>() / l.at("weights").get<double>());
    };
    table.add({text_of(l.at("name")), text_of(l.at("kind")), number(l.at("weights")),
               share("zeros_by_mask"), share("zeros_by_rounding"),
               l.at("weight_bits").dump() + " / " + l.at("input_bits").dump(),
               l.at("sqnr").is_null() ? "-" : fmt::format("{:.1f} dB", l.at("sqnr").get<double>()),
               text_of(l.at("coding")), number(l.at("bytes")), number(l.at("macs")),
               number(l.at("effective_macs")),
               l.at("latency_us").is_null()
                   ? "-"
                   : fmt::format("{:.1f}", l.at("latency_us").get<double>())});
  }
  return table.text();
}

std::string result_text(const Json& r) {
  const Json& a = r.at("accuracy");
  std::string text = fmt::format("  float {}, fake_quant {}, integer {}\n", percent(a.at("float")),
                                 percent(a.at("fake_quant")), percent(a.at("integer")));
  const Json &model = r.at("bytes").at("model"), &floats = r.at("bytes").at("float32");
  text += fmt::format("  {} of all weights are zero; {} (float32: {}, float16: {})\n",
                      percent(r.at("sparsity")),
                      model.is_null() ? "there is no model.pare"
                                      : fmt::format("model.pare has {} bytes", number(model)),
                      number(floats), number(floats.get<std::int64_t>() / 2));
  for (const Json& p : r.at("pruning")) {
    text +=
        fmt::format("  {}: {} of {} asked for, {} pruned\n", text_of(p.at("name")),
                    percent(p.at("asked")), text_of(p.at("granularity")), percent(p.at("pruned")));
  }
  if (const Json& s = r.at("shrink"); !s.is_null()) {
    const auto both = [&](const char* key) {
      return number(s.at(key).at("before")) + " -> " + number(s.at(key).at("after"));
    };
    text += fmt::format("  shrunk: {} MACs, {} parameters", both("macs"), both("parameters"));
    const Json& latency = s.at("latency_us");
    if (!latency.at("before").is_null() && !latency.at("after").is_null()) {
      text += fmt::format(", {:.1f} -> {:.1f} us", latency.at("before").get<double>(),
                          latency.at("after").get<double>());
    }
    text += "\n";
  }
  return text + "\n" + layers_text(r.at("layers"));
}

std::string run_text(const Json& d, TextDetail detail) {
  std::string text = fmt::format("{}: the run '{}'\n\n", text_of(d.at("path")),
                                 text_of(d.at("config").at("name")));
  text += d.at("result").is_null() ? "  it has no result yet\n" : result_text(d.at("result"));
  text += "\n";
  for (const Json& checkpoint : d.at("checkpoints")) text += "  " + checkpoint_line(checkpoint);
  TextTable table({"file", ">bytes"});
  for (const Json& file : d.at("files"))
    table.add({text_of(file.at("name")), number(file.at("bytes"))});
  text += "\n" + table.text();
  if (detail.tree) text += "\n" + config::pretty(d.at("config"));
  return text;
}

}  // namespace

std::string to_text(const Json& document, TextDetail detail) {
  const Json& what = document.at("what");
  if (what == "config") return config_text(document, detail);
  if (what == "checkpoint") return checkpoint_text(document, detail);
  if (what == "model") return model_text(document, detail);
  return run_text(document, detail);
}

}  // namespace pare
