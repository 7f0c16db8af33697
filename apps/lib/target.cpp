#include "apps/lib/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/lib/inspect/table.h"
#include "compression/attach.h"
#include "compression/groups.h"
#include "compression/integer/operations.h"
#include "compression/integer/plan.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare {
namespace {

using config::Json;

constexpr std::int64_t kBytesPerChannel = 9;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;

std::int64_t bytes_of_bits(double bits) { return static_cast<std::int64_t>(std::ceil(bits / 8)); }

[[noreturn]] void bad_target(const std::string& text, const std::string& why) {
  throw ConfigError("--target " + text + ": " + why +
                    "; expected flash=N, ram=N or both, as in "
                    "flash=64k,ram=8k");
}

std::int64_t amount(const std::string& text, std::string_view value) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
  const std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  const std::int64_t factor = unit.empty()                 ? 1
                              : unit == "k" || unit == "K" ? 1024
                              : unit == "M"                ? 1024 * 1024
                                                           : 0;
  if (error != std::errc() || factor == 0 || n < 1 || n > kMostBytes / factor)
    bad_target(text, "'" + std::string(value) + "' is no amount");
  return n * factor;
}

// What the run's pruning asks of each weight that it ends with, by path.
std::map<std::string, double> asked_sparsity(const RunConfig& run, const Network& network) {
  std::map<std::string, double> asked;
  for (const std::string& name : run.final_methods()) {
    const auto* prune = std::get_if<PruneConfig>(&run.method(name).options);
    if (!prune || !prune->follows_sparsity()) continue;
    for (const Parameter* weight : select_weights(network, {prune->include, prune->exclude})) {
      asked[weight->path()] = prune->sparsity.target();
    }
  }
  return asked;
}

// The operation during which most bytes are alive.
void find_peak(const integer::Program& program, Estimate& estimate) {
  const auto last = static_cast<std::int64_t>(program.operations.size());
  std::vector<std::int64_t> born(program.tensors.size(), 0), dies(program.tensors.size(), 0);
  for (std::int64_t i = 0; i < last; ++i) {
    const integer::Operation& operation = program.operations[static_cast<std::size_t>(i)];
    born[static_cast<std::size_t>(output_of(operation))] = i;
    for (const std::int32_t t : inputs_of(operation)) dies[static_cast<std::size_t>(t)] = i;
  }
  dies[static_cast<std::size_t>(program.output)] = last;
  for (std::int64_t i = 0; i < last; ++i) {
    const integer::Operation& operation = program.operations[static_cast<std::size_t>(i)];
    if (std::holds_alternative<integer::Reshape>(operation)) continue;  // moves nothing
    std::int64_t alive = 0;
    for (std::size_t t = 0; t < program.tensors.size(); ++t) {
      if (born[t] <= i && dies[t] >= i) alive += program.tensors[t].size();
    }
    if (alive <= estimate.peak_bytes) continue;
    estimate.peak_bytes = alive;
    estimate.peak = program.tensors[static_cast<std::size_t>(output_of(operation))].name;
  }
}

// The least sparsity, in percent, at which everything fits; nothing where none does.
std::optional<int> sparsity_that_fits(const Estimate& e, std::int64_t flash) {
  for (int percent = 1; percent < 100; ++percent) {
    if (e.flash(std::nullopt, percent / 100.0) <= flash) return percent;
  }
  return std::nullopt;
}

std::string flash_advice(const Estimate& e, std::int64_t flash) {
  std::string text = fmt::format("flash: {} bytes too many. ", grouped(e.flash() - flash));
  const auto largest = std::max_element(
      e.layers.begin(), e.layers.end(), [](const LayerEstimate& a, const LayerEstimate& b) {
        return a.bytes(a.bits, a.sparsity) < b.bytes(b.bits, b.sparsity);
      });
  std::string ways;
  for (const int bits : {4, 3, 2}) {
    if (e.flash(bits, 0) > flash) continue;
    ways = fmt::format("{}-bit weights ({} bytes)", bits, grouped(e.flash(bits, 0)));
    break;
  }
  if (const auto percent = sparsity_that_fits(e, flash)) {
    ways +=
        fmt::format("{}a sparsity of {} % in every layer", ways.empty() ? "" : ", or ", *percent);
  }
  text +=
      ways.empty() ? "Neither fewer bits nor zeros alone are enough" : "It would fit with " + ways;
  return text +
         fmt::format("; the largest layer is '{}': fewer units or filters there help most.\n",
                     largest->name);
}

std::string ram_advice(const Estimate& e, std::int64_t ram) {
  return fmt::format(
      "ram: {} bytes too many. The peak is at '{}', whose inputs and output take {} bytes "
      "together: "
      "a larger stride, an earlier pool or fewer filters there, or smaller images, make it "
      "smaller; bits and zeros do not.\n",
      grouped(e.ram - ram), e.peak, grouped(e.peak_bytes));
}

std::string amount_line(std::string_view title, std::int64_t bytes,
                        const std::optional<std::int64_t>& target, const std::string& remark) {
  const std::string verdict = !target ? ""
                              : bytes <= *target
                                  ? fmt::format(" of {}, fits", grouped(*target))
                                  : fmt::format(" of {}, TOO MUCH", grouped(*target));
  return fmt::format("  {:<6}{:>12} bytes{}   {}\n", title, grouped(bytes), verdict, remark);
}

}  // namespace

Target parse_target(const std::string& text) {
  Target target;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string name = part.substr(0, equals);
    std::optional<std::int64_t>* wanted = name == "flash" ? &target.flash
                                          : name == "ram" ? &target.ram
                                                          : nullptr;
    if (!wanted || wanted->has_value() || equals == part.size())
      bad_target(text, "'" + part + "' is none of its parts, or there twice");
    *wanted = amount(text, std::string_view(part).substr(equals + 1));
    begin = end + 1;
  }
  return target;
}

std::int64_t LayerEstimate::bytes(int at_bits, double at_sparsity) const {
  const auto n = static_cast<double>(weights);
  const std::int64_t packed = bytes_of_bits(n * at_bits);
  const double kept = std::floor(n * (1 - at_sparsity));
  return std::min(packed, bytes_of_bits(n) + bytes_of_bits(kept * at_bits));
}

std::int64_t Estimate::flash(std::optional<int> bits, double sparsity) const {
  std::int64_t sum = tables + kCodeBytes;
  for (const LayerEstimate& layer : layers) {
    const int at_bits = bits ? std::min(*bits, layer.bits) : layer.bits;
    sum += layer.bytes(at_bits, std::max(sparsity, layer.sparsity));
  }
  return sum;
}

std::int64_t Estimate::flash() const { return flash(std::nullopt, 0); }

std::int64_t Estimate::macs() const {
  std::int64_t sum = 0;
  for (const LayerEstimate& layer : layers) sum += layer.macs;
  return sum;
}

Estimate estimate(const RunConfig& run, const Rehearsal& rehearsal) {
  PARE_ENSURE(rehearsal.program.has_value());
  const integer::Program& program = *rehearsal.program;
  const Network& network = rehearsal.network;
  const std::map<std::string, double> asked = asked_sparsity(run, network);
  std::map<std::string, std::string> heads;  // by the tensor that leaves the group
  for (const Group& group : find_groups(network)) heads[group.tail()] = group.head;

  Estimate e;
  e.tables = static_cast<std::int64_t>(256 * program.pixel_codes.size());
  for (const integer::Operation& operation : program.operations) {
    const integer::Tensor& out = program.tensors[static_cast<std::size_t>(output_of(operation))];
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.weights; }) {
            const std::string& head = heads.at(out.name);
            const auto sparsity = asked.find(head + ".weight");
            e.layers.push_back({.name = head,
                                .weights = std::ssize(op.weights.codes),
                                .channels = out.channels,
                                .bits = op.weights.bits,
                                .sparsity = sparsity == asked.end() ? 0 : sparsity->second,
                                .macs = std::ssize(op.weights.codes) * out.height * out.width});
            e.tables += kBytesPerChannel * out.channels;
          }
        },
        operation);
  }
  e.ram = integer::plan_arena(program).bytes;
  find_peak(program, e);
  return e;
}

bool fits(const Estimate& e, const Target& target) {
  return (!target.flash || e.flash() <= *target.flash) && (!target.ram || e.ram <= *target.ram);
}

Json to_json(const Estimate& e, const Target& target) {
  const auto or_null = [](const std::optional<std::int64_t>& x) { return x ? Json(*x) : Json(); };
  Json layers = Json::array();
  std::int64_t weights = 0;
  for (const LayerEstimate& l : e.layers) {
    layers.push_back({{"name", l.name},
                      {"weights", l.weights},
                      {"bits", l.bits},
                      {"sparsity", l.sparsity},
                      {"bytes", l.bytes(l.bits, l.sparsity)},
                      {"macs", l.macs}});
    weights += l.bytes(l.bits, l.sparsity);
  }
  return {{"layers", std::move(layers)},
          {"flash",
           {{"weights", weights},
            {"tables", e.tables},
            {"code_assumed", kCodeBytes},
            {"total", e.flash()},
            {"target", or_null(target.flash)}}},
          {"ram",
           {{"total", e.ram},
            {"peak", e.peak},
            {"peak_bytes", e.peak_bytes},
            {"target", or_null(target.ram)}}},
          {"macs", e.macs()},
          {"fits", fits(e, target)}};
}

std::string to_text(const Estimate& e, const Target& target) {
  TextTable table({"on a device", ">weights", ">bits", ">zero", ">bytes", ">MACs"});
  for (const LayerEstimate& l : e.layers) {
    table.add({l.name, grouped(l.weights), std::to_string(l.bits),
               fmt::format("{:.1f} %", 100 * l.sparsity), grouped(l.bytes(l.bits, l.sparsity)),
               grouped(l.macs)});
  }
  std::string text = table.text() + "\n";
  text += amount_line("flash", e.flash(), target.flash,
                      fmt::format("estimated: weights, {} of tables, {} of code (assumed)",
                                  grouped(e.tables), grouped(kCodeBytes)));
  text += amount_line("ram", e.ram, target.ram,
                      fmt::format("activations, exact; the peak is at '{}'", e.peak));
  text += fmt::format("  {:<6}{:>12}\n", "MACs", grouped(e.macs()));
  if (target.flash && e.flash() > *target.flash) text += "\n" + flash_advice(e, *target.flash);
  if (target.ram && e.ram > *target.ram) text += "\n" + ram_advice(e, *target.ram);
  return text;
}

}  // namespace pare
