#include "apps/bench/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pare::bench {
namespace {

using Json = nlohmann::ordered_json;

void add_call(Json& row, const Call& call) {
  row["us"] = call.us;
  row["flops"] = call.flops > 0 ? Json(call.flops) : Json();
  row["bytes"] = call.bytes;
}

Json json_of(const Row& r) {
  Json row{{"net", r.net},
           {"batch", r.batch},
           {"threads", r.threads},
           {"mode", r.mode},
           {"ours", r.ours}};
  const bool none = r.peer_name.empty();
  row["peer"] = none ? Json() : Json(r.peer);
  row["peer_name"] = none ? Json() : Json(r.peer_name);
  row["ratio"] = none ? Json() : Json(r.ratio);
  row["least_ratio"] = none ? Json() : Json(r.least_ratio);
  row["spread"] = r.spread;
  row["unit"] = r.unit == "/s" ? "images/s" : r.unit;
  if (r.call) add_call(row, *r.call);
  if (!r.details.empty()) row["peer_details"] = Json::parse(r.details);
  return row;
}

Json json_of(const NetLayers& net) {
  Json layers = Json::array();
  for (const Layer& l : net.layers) {
    Json layer{{"layer", l.name}, {"kernel", l.kernel}};
    if (net.images > 0) layer["us"] = l.us;
    if (l.gmacs > 0) layer["gmacs"] = l.gmacs;
    layers.push_back(layer);
  }
  Json document{{"net", net.net}};
  if (net.images > 0) document["images"] = net.images;
  document["layers"] = layers;
  return document;
}

}  // namespace

Row against(Row row, const std::string& peer_name, double peer, const Timing& ours,
            const Timing& theirs) {
  row.peer = peer;
  row.peer_name = peer_name;
  row.ratio = theirs.median / ours.median;
  row.least_ratio = theirs.least / ours.least;
  row.spread = std::max(ours.spread, theirs.spread);
  row.own_spread = ours.spread;
  return row;
}

std::string table(const std::vector<Row>& rows) {
  std::size_t width = 6;
  for (const Row& r : rows) width = std::max(width, r.net.size());
  std::string text =
      fmt::format("{:<{}} {:>5} {:>7} {:>5} {:>16} {:>16} {:>6} {:>6} {:>6}  {}\n", "net", width,
                  "batch", "threads", "mode", "ours", "peer", "ratio", "least", "spread", "peer");
  for (const Row& r : rows) {
    text += fmt::format("{:<{}} {:>5} {:>7} {:>5} {:>16}", r.net, width, r.batch, r.threads, r.mode,
                        fmt::format("{:.1f} {}", r.ours, r.unit));
    if (r.peer_name.empty()) {
      text += fmt::format(" {:>16} {:>6} {:>6} {:>6.2f}  no peer\n", "-", "-", "-", r.spread);
    } else {
      text += fmt::format(" {:>16} {:>6.2f} {:>6.2f} {:>6.2f}  {}\n",
                          fmt::format("{:.1f} {}", r.peer, r.unit), r.ratio, r.least_ratio,
                          r.spread, r.peer_name);
    }
  }
  return text;
}

std::string json(const std::vector<Row>& rows, const std::vector<NetLayers>& nets) {
  Json document{{"rows", Json::array()}};
  for (const Row& row : rows) document["rows"].push_back(json_of(row));
  for (const NetLayers& net : nets) document["networks"].push_back(json_of(net));
  return document.dump(1) + "\n";
}

}  // namespace pare::bench
