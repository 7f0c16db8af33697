// report.html: everything that is worth seeing of one run, on one page that needs neither network
// nor scripts. This file puts the parts in their order; each part is a file of its own. The page is
// a function of its input: equal runs have equal pages but for what time_dependent() marks.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/report/confusion.h"
#include "apps/lib/report/gallery.h"
#include "apps/lib/report/heat_map.h"
#include "apps/lib/report/layer_table.h"
#include "apps/lib/report/line_chart.h"
#include "framework/config/value.h"

namespace pare::report {

// What test images were taken for.
struct Judgement {
  std::string judge;  // who did: "the integer engine"
  Confusion confusion;
  std::int64_t wrong = 0;         // images
  std::vector<Mistake> mistakes;  // some of them
};

// Several charts about one layer.
struct LayerCharts {
  std::string layer;
  std::vector<LineChart> charts;
};

struct Page {
  std::string name;        // of the run
  std::string summary;     // one line: data, network
  std::string unfinished;  // why the run is not over; "" where it is
  std::vector<LineChart> curves;
  std::optional<config::Json> result;  // result.json, once there is one
  std::optional<Judgement> judgement;
  std::vector<LayerHistograms> histograms;
  std::vector<WeightMatrix> matrices;
  std::vector<LayerCharts> telemetry;
  std::string command;  // that gives this run again
  std::string version;  // of Pare
  std::string data_hash;
  config::Json config;  // resolved
};

// The whole document.
std::string to_html(const Page& page);

}  // namespace pare::report
