#include "apps/lib/report/page.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/lib/report/decision_table.h"
#include "apps/lib/report/headline.h"
#include "apps/lib/report/html.h"
#include "apps/lib/report/style.h"
#include "apps/lib/report/table.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare::report {
namespace {

using config::Json;

// One part of the page under a heading, and what the list of contents calls it.
struct Section {
  std::string id, title, html;
};

std::string charts_html(const std::vector<LineChart>& charts) {
  std::string html = "<div class=\"charts\">\n";
  for (const LineChart& chart : charts) html += to_html(chart);
  return html + "</div>\n";
}

Section curves(const Page& page) { return {"curves", "Training", charts_html(page.curves)}; }

Section telemetry(const Page& page) {
  std::string html =
      "<p class=\"soft\">What masks and quantizers did to each layer, from telemetry.jsonl.</p>\n";
  for (const LayerCharts& layer : page.telemetry)
    html += fmt::format("<h3>{}</h3>\n{}", escape(layer.layer), charts_html(layer.charts));
  return {"telemetry", "Telemetry", html};
}

std::string percent_or_dash(const Json& value) {
  return value.is_null() ? "–" : percent(value.get<double>());
}

std::string methods(const Json& phase) {
  std::string text;
  for (const Json& name : phase["apply"]) text += " +" + name.get<std::string>();
  for (const Json& name : phase["release"]) text += " −" + name.get<std::string>();
  return escape(text.empty() ? text : text.substr(1));
}

std::vector<std::string> phase_row(const Json& phase) {
  const auto value = [&](const char* key) { return phase.contains(key) ? phase[key] : Json(); };
  const Json loss = value("loss"), speed = value("images_per_second"), status = value("status");
  return {escape(phase["name"].get<std::string>()),
          methods(phase),
          number(phase["epochs"].get<double>()),
          grouped(phase["steps"].get<std::int64_t>()),
          loss.is_null() ? "–" : number(loss.get<double>()),
          percent_or_dash(value("validation")),
          percent_or_dash(value("sparsity")),
          status.is_null() ? "" : escape(status.get<std::string>()),
          speed.is_null() ? "–" : time_dependent(grouped(std::llround(speed.get<double>())))};
}

Section phases(const Json& result) {
  Table table;
  table.columns = {{"phase", "", true},
                   {"compression", "+ applied, − released at its start", true},
                   {"epochs"},
                   {"updates"},
                   {"loss", "mean over its last epoch"},
                   {"validation", "accuracy at its end"},
                   {"masked", "weights that a mask holds at zero, at its end"},
                   {"state", "of the compression, at its end", true},
                   {"images/s", "training only"}};
  for (const Json& phase : result["phases"]) table.rows.push_back(phase_row(phase));
  return {"phases", "Phases", to_html(table)};
}

Section decisions(const Json& result) {
  std::string html;
  for (const auto& [method, decision] : result["auto"].items())
    html += decision_tables(method, decision);
  return {"decisions", "Decisions", html};
}

Section mistakes(const Page& page) {
  const Judgement& j = *page.judgement;
  std::string html =
      fmt::format("<p>{} of {} test images were misclassified by {}.</p>\n", grouped(j.wrong),
                  grouped((*page.result)["dataset"]["test"].get<std::int64_t>()), escape(j.judge));
  html += to_html(j.confusion);
  if (!j.mistakes.empty()) {
    html += fmt::format(
        "<p>The {} most certain mistakes: <span class=\"soft\">what the image was taken for and "
        "its logit, "
        "then what it is and its logit.</span></p>\n",
        j.mistakes.size());
    html += to_html(j.mistakes);
  }
  return {"mistakes", "Mistakes", html};
}

Section layers(const Page& page) {
  return {"layers", "Layers",
          layer_table((*page.result)["layers"], page.histograms) +
              "<p class=\"soft\">Histograms are of the values before rounding, exact zeros left "
              "out; a dashed "
              "line is the end of the grid, beyond it values are clamped.</p>\n"};
}

Section matrices(const Page& page) {
  std::string html;
  for (const WeightMatrix& matrix : page.matrices) html += to_html(matrix);
  return {"weights", "Weights", html};
}

std::string dataset(const Json& result) {
  const Json& d = result["dataset"];
  std::string text = fmt::format(
      "<p>Data: <b>{}</b> ({}); {} images to train, {} to validate, {} to test.</p>\n",
      escape(d["kind"].get<std::string>()), escape(d["source"].get<std::string>()),
      grouped(d["train"].get<std::int64_t>()), grouped(d["validation"].get<std::int64_t>()),
      grouped(d["test"].get<std::int64_t>()));
  if (d["kind"] != d["requested"]) {
    text += fmt::format("<p class=\"notice\">The config asks for {}, which was not found.</p>\n",
                        escape(d["requested"].get<std::string>()));
  }
  return text;
}

Section origin(const Page& page) {
  std::string html = page.result ? dataset(*page.result) : "";
  html += fmt::format("<p class=\"soft\">SHA-256 of pixels and labels: <code>{}</code></p>\n",
                      escape(page.data_hash));
  html += "<p>The command that gives this run again:</p><pre>" + escape(page.command) + "</pre>\n";
  html += "<details><summary>The config, with every default written out</summary><pre>" +
          escape(config::pretty(page.config)) + "</pre></details>\n";
  return {"origin", "Where it comes from",
          html + "<p class=\"soft\">Pare " + escape(page.version) + "</p>\n"};
}

std::vector<Section> sections(const Page& page) {
  std::vector<Section> all = {curves(page)};
  if (page.result) all.push_back(phases(*page.result));
  if (page.result && page.result->contains("auto")) all.push_back(decisions(*page.result));
  if (page.judgement) all.push_back(mistakes(page));
  if (page.result) all.push_back(layers(page));
  if (!page.telemetry.empty()) all.push_back(telemetry(page));
  if (!page.matrices.empty()) all.push_back(matrices(page));
  all.push_back(origin(page));
  return all;
}

}  // namespace

std::string to_html(const Page& page) {
  const std::vector<Section> all = sections(page);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<title>{}: "
      "Pare</title>\n<style>{}</style>\n"
      "</head>\n<body>\n<header>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<nav>",
      escape(page.name), kStyleSheet, escape(page.name), escape(page.summary));
  for (const Section& section : all)
    html += fmt::format("<a href=\"#{}\">{}</a>\n", section.id, section.title);
  html += "</nav>\n</header>\n<main>\n";
  if (!page.unfinished.empty()) html += "<p class=\"notice\">" + escape(page.unfinished) + "</p>\n";
  if (page.result) html += headline(*page.result);
  for (const Section& section : all) {
    html += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", section.id,
                        section.title, section.html);
  }
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace pare::report
