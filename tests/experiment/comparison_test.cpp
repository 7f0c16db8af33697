// From results to comparisons: which cells are paired, and what the tables say of them.
#include "apps/lib/experiment/comparison.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/lib/experiment/latex.h"
#include "apps/lib/experiment/markdown.h"
#include "apps/lib/experiment/matrix.h"
#include "apps/lib/experiment/page.h"
#include "apps/lib/experiment/paired.h"
#include "apps/lib/experiment/tables.h"
#include "framework/config/config.h"
#include "tests/experiment/helpers.h"

using namespace pare;
using doctest::Approx;

namespace {

constexpr const char* kStrategies = R"(
  "set": {"strategy": {"kind": "joint", "epochs": {"dense": 1, "stage": 1, "recover": 1}}},
  "axes": {"strategy.kind": ["prune_only", "quantize_only", "prune_then_quantize", "quantize_then_prune"],
           "compression.int8.weights.bits": [8, 4, 3, 2]},
  "seeds": [1, 2, 3],
  "report": {"compare": [{"a": {"strategy.kind": "prune_then_quantize"}, "b": {"strategy.kind": "quantize_then_prune"}}],
             "correlate": [{"name": "intensity", "x": {"a": {"strategy.kind": "quantize_only"}, "b": {"strategy.kind": "prune_only"}},
                            "y": {"a": {"strategy.kind": "prune_then_quantize"}, "b": {"strategy.kind": "quantize_then_prune"}}}]})";

// Every run gets an accuracy that says where it stands.
Collected results(const Plan& plan) {
  Collected collected;
  collected.results.resize(plan.runs.size());
  collected.failures.resize(plan.runs.size());
  for (const PlannedRow& row : plan.rows) {
    const auto kind = static_cast<double>(plan.cells[row.cell].at[0]);
    const auto bits = static_cast<double>(plan.cells[row.cell].at[1]);
    const double seed = static_cast<double>(row.seed);
    const double accuracy = 0.9 - 0.001 * kind * kind * bits + 0.0001 * seed * kind;
    collected.results[row.run] = {{"accuracy", {{"integer", accuracy}, {"float", 0.9}}},
                                  {"sparsity", 0.5},
                                  {"bytes", {{"model", 1000 - 100 * bits}}},
                                  {"bops", 1e6},
                                  {"integer_from", "trained"}};
  }
  return collected;
}

// The same, with a part that falls and rises from seed to seed. Kinds and bits are the last two
// axes.
Collected noisy(const Plan& plan) {
  Collected collected;
  collected.results.resize(plan.runs.size());
  collected.failures.resize(plan.runs.size());
  for (const PlannedRow& row : plan.rows) {
    const auto& at = plan.cells[row.cell].at;
    const auto kind = static_cast<double>(at[at.size() - 2]), bits = static_cast<double>(at.back());
    const double noise =
        0.0013 * std::fmod(7 * static_cast<double>(row.seed) + 5 * kind + 3 * bits, 4);
    config::Json result;
    result["accuracy"]["integer"] = 0.9 - 0.001 * kind * kind * bits + noise;
    collected.results[row.run] = result;
  }
  return collected;
}

std::string with_report(const std::string& report) {
  return R"("axes": {"dataset.batch_size": [8, 16], "seed_of": [{"label": "x", "set": {}}]}, "report": )" +
         report;
}

}  // namespace

TEST_CASE("cells that differ in the contrast alone are compared seed by seed") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kStrategies);
  const std::vector<Comparison> all = comparisons(plan, results(plan));
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "prune_then_quantize minus quantize_then_prune");
  REQUIRE(all[0].cells.size() == 4);
  for (std::size_t bits = 0; bits < 4; ++bits) {
    const CellComparison& cell = all[0].cells[bits];
    // Kinds 2 and 3: 0.001 (9 - 4) bits - 0.0001 seed.
    REQUIRE(cell.differences.size() == 3);
    for (std::size_t seed = 0; seed < 3; ++seed) {
      CHECK(cell.differences[seed] ==
            Approx(0.005 * static_cast<double>(bits) - 0.0001 * static_cast<double>(seed + 1)));
    }
    CHECK(*cell.t == Approx(*paired_t(cell.differences)));
    CHECK(*cell.t_holm >= *cell.t);
    CHECK_FALSE(cell.ranks);
  }
  CHECK(all[0].cells[0].label == "bits 8");
  CHECK(all[0].positive == 3);
  CHECK(all[0].negative == 1);
  CHECK(all[0].distinct == 4);
  CHECK(all[0].tests == 4);
  // Over the bits: 0.0075 - 0.0001 seed.
  CHECK(all[0].overall.n == 3);
  CHECK(all[0].overall.mean == Approx(0.0073));
  CHECK(*all[0].overall.deviation == Approx(0.0001));
  CHECK(*all[0].overall_t < 0.0001);
}

TEST_CASE("one difference is correlated with another over the cells") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kStrategies);
  const std::vector<CorrelationResult> all = correlations(plan, results(plan));
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].x.size() == 4);
  REQUIRE(all[0].correlated);
  CHECK(all[0].correlated->r == Approx(-1));  // x falls by 0.001 a step of bits, y rises by 0.005
  CHECK(all[0].correlated->rho == Approx(-1));
}

TEST_CASE("a cell that repeats the runs of another is no second point of a correlation") {
  const ExperimentFiles files;
  std::string twice = kStrategies;
  const std::string axes = R"("axes": {)";
  twice.insert(twice.find(axes) + axes.size(),
               R"("unfelt": [{"label": "a", "set": {}}, {"label": "b", "set": {}}], )");
  const Plan plan = files.plan(twice);
  const std::vector<CorrelationResult> all = correlations(plan, noisy(plan));
  REQUIRE(all.size() == 1);
  CHECK(all[0].x.size() == 4);
  REQUIRE(all[0].correlated);
  CHECK(all[0].correlated->n == 4);
  CHECK(all[0].seeds == 3);
  REQUIRE(all[0].by_seed);
  CHECK(all[0].by_seed->low < all[0].by_seed->high);
}

TEST_CASE("further seeds of some cells leave a correlation as it is") {
  const ExperimentFiles files;
  const std::string more = R"(,
  "more_seeds": [{"where": {"strategy.kind": ["prune_only", "quantize_then_prune"], "compression.int8.weights.bits": 4},
                  "seeds": [4, 5]}])";
  const Plan plan = files.plan(kStrategies), longer = files.plan(kStrategies + more);
  REQUIRE(longer.rows.size() == plan.rows.size() + 4);
  const CorrelationResult few = correlations(plan, noisy(plan)).at(0),
                          many = correlations(longer, noisy(longer)).at(0);
  CHECK(many.x == few.x);
  CHECK(many.y == few.y);
  CHECK(many.seeds == 3);
  REQUIRE(few.by_seed);
  REQUIRE(many.by_seed);
  CHECK(many.by_seed->low == few.by_seed->low);
  CHECK(many.by_seed->high == few.by_seed->high);
}

TEST_CASE("plain training with the same budget is a row of its own, run once per budget") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kStrategies);
  REQUIRE(plan.dense.size() == 1);
  CHECK(plan.dense[0].runs.size() == 3);
  CHECK(plan.dense[0].cells.size() == 16);
  CHECK(plan.rows.size() == 48);
  // prune_only does not feel the bits: one run a seed.
  CHECK(plan.runs.size() == 3 * (1 + 3 * 4) + 3);
  const config::Json& dense = plan.runs[plan.dense[0].runs[0]].config;
  CHECK(dense["compression"].empty());
  CHECK(dense["phases"].size() == 4);
  const std::string text = results_markdown(plan, results(plan));
  CHECK(text.find("| dense, same total budget |") != std::string::npos);
  CHECK(text.find("## Pareto front of accuracy.integer and bytes.model") != std::string::npos);
}

TEST_CASE("there is no dense row where there is no plain training, or nothing compresses") {
  const ExperimentFiles files;
  const auto rows = [&](const std::string& set) {
    const Plan plan = files.plan(R"("seeds": [1], "set": )" + set);
    for (const DenseRow& row : plan.dense) {  // what is planned can be read
      const std::string config = plan.runs[row.runs[0]].config.dump();
      CHECK_NOTHROW(
          config::read<RunConfig>(config::load_text(config, "dense", std::vector<std::string>{})));
    }
    return plan.dense.size();
  };
  CHECK(rows("{}") == 1);
  CHECK(
      rows(
          R"({"phases": [{"name": "a", "epochs": 1, "apply": ["prune"], "freeze": ["dense/*"]}]})") ==
      0);
  CHECK(rows(R"({"phases": [{"name": "a", "epochs": 0, "apply": ["int8"]}]})") == 0);
  CHECK(rows(R"({"phases": [{"name": "a", "epochs": 0, "apply": ["int8"]},
                            {"name": "b", "epochs": 1, "continue": true}]})") == 1);
  CHECK(rows(R"({"compression.kd": {"kind": "distill", "teacher": {"phase": "a"}},
                 "phases": [{"name": "a", "epochs": 1}, {"name": "b", "epochs": 1, "apply": ["kd"]}]})") ==
        0);
}

TEST_CASE("a strategy that is dense is that row already") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "set": {"strategy": {"kind": "joint", "epochs": {"dense": 1, "stage": 1, "recover": 1}}},
    "axes": {"strategy.kind": ["dense", "alternating", "joint"]}, "seeds": [1, 2])");
  CHECK(plan.runs.size() == 6);
  REQUIRE(plan.dense.size() == 1);
  CHECK(plan.dense[0].is_cell);
  CHECK(main_table(plan, results(files.plan(kStrategies))).rows.size() == 3);
}

TEST_CASE("LaTeX and the page show every table, and nothing of a name is markup") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kStrategies);
  const Collected collected = results(plan);
  const std::string latex = results_latex(plan, collected), page = results_page(plan, collected);
  std::size_t tables = 0;
  for (std::size_t at = 0; (at = latex.find("\\toprule", at)) != std::string::npos; ++at) ++tables;
  CHECK(tables == result_tables(plan, collected).size());
  CHECK(latex.find("strategy.kind & compression.int8.weights.bits & seeds") != std::string::npos);
  CHECK(latex_escaped("90 % a_b <x> ±") == "90 \\% a\\_b $<$x$>$ $\\pm$");
  CHECK(page.find("<svg") != std::string::npos);
  CHECK(page.find("http://") == std::string::npos);
  for (const ResultTable& table : result_tables(plan, collected))
    CHECK(page.find("<h2>" + (table.title.empty() ? "All cells" : table.title)) !=
          std::string::npos);
}

TEST_CASE("a comparison of two free axes is a matrix with Holm's marks") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "set": {"strategy": {"kind": "joint", "epochs": {"dense": 1, "stage": 1, "recover": 1}}},
    "axes": {"strategy.kind": ["prune_then_quantize", "quantize_then_prune"],
             "compression.int8.weights.bits": [8, 4, 3, 2], "compression.prune.sparsity": [0.5, 0.8, 0.9, 0.95]},
    "seeds": [1, 2, 3],
    "report": {"compare": [{"name": "order", "a": {"strategy.kind": "prune_then_quantize"},
                            "b": {"strategy.kind": "quantize_then_prune"}}]})");
  // The order costs 1 % at 2 bits and half of the weights, with little spread; nothing elsewhere.
  Collected collected = results(plan);
  for (const PlannedRow& row : plan.rows) {
    const auto& at = plan.cells[row.cell].at;
    const double spread = 0.0001 * (static_cast<double>(row.seed) - 2);
    const double loss = at[0] == 1 && at[1] == 3 && at[2] == 0 ? 0.01 + spread : 0;
    (*collected.results[row.run])["accuracy"]["integer"] = 0.9 - loss;
  }
  const std::optional<ResultMatrix> matrix = matrix_of(plan, comparisons(plan, collected)[0]);
  REQUIRE(matrix);
  CHECK(matrix->row_axes == std::vector<std::string>{"bits"});
  CHECK(matrix->columns == std::vector<std::string>{"0.5", "0.8", "0.9", "0.95"});
  REQUIRE(matrix->rows.size() == 4);
  CHECK(matrix->rows[3].labels == std::vector<std::string>{"2"});
  CHECK(matrix->rows[3].cells[0]->text == "+1.00*");
  CHECK(matrix->rows[3].cells[1]->text == "0.00");
  CHECK(matrix->rows[0].cells[0]->text == "0.00");
  CHECK(matrix->note.find("Holm over 16 distinct comparisons") != std::string::npos);

  // 32 cells: all of them as a matrix as well, kinds in columns; the list of all comes last.
  const std::optional<ResultMatrix> cells = matrix_of_cells(plan, collected);
  REQUIRE(cells);
  CHECK(cells->columns.size() == 2);
  CHECK(cells->rows.size() == 16);
  const ResultMatrix::Row& marked = cells->rows[12];
  CHECK(marked.labels == std::vector<std::string>{"2", "0.5"});
  CHECK(marked.cells[0]->text == "90.00†");
  CHECK(marked.cells[1]->text == "89.00");
  CHECK(cells->rows[0].cells[0]->text == "90.00");  // as good as all of its row
  CHECK(marked.cells[0]->distance == Approx(0.005));
  CHECK(result_tables(plan, collected).back().title == "All cells");
  const std::string page = results_page(plan, collected);
  CHECK(page.find("<td class=\"right\" style=\"--a:0.60\"") != std::string::npos);
}

TEST_CASE("comparisons of the same cells are the columns of one matrix") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"step": [{"label": "a", "set": {}}, {"label": "b", "set": {"loss.label_smoothing": 0.1}}, {"label": "c", "set": {"loss.label_smoothing": 0.2}},
                      {"label": "d", "set": {"loss.label_smoothing": 0.3}}],
             "compression.int8.weights.bits": [8, 4]},
    "seeds": [1, 2],
    "report": {"compare": [{"name": "first", "a": {"step": "a"}, "b": {"step": "b"}},
                           {"name": "second", "a": {"step": "b"}, "b": {"step": "c"}},
                           {"name": "third", "a": {"step": "c"}, "b": {"step": "d"}}]})");
  const std::vector<ResultMatrix> all = matrices(plan, results(plan));
  REQUIRE(all.size() == 1);
  CHECK(all[0].columns == std::vector<std::string>{"first", "second", "third"});
  REQUIRE(all[0].rows.size() == 2);
  CHECK(all[0].rows[1].labels == std::vector<std::string>{"bits 4"});
  CHECK(all[0].rows[1].cells.size() == 3);
}

TEST_CASE("a long table is folded on the page and runs over pages in LaTeX") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"dataset.batch_size": [8, 16, 24, 32, 40, 48, 56],
             "compression.prune.sparsity": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}, "seeds": [1],
    "report": {"dense": false})");
  const Collected collected = results(plan);
  const std::string latex = results_latex(plan, collected), page = results_page(plan, collected);
  CHECK(latex.find("\\begin{longtable}") != std::string::npos);
  CHECK(page.find("<summary>49 rows</summary>") != std::string::npos);
}

TEST_CASE("published numbers of no cell are an error where they stand") {
  const ExperimentFiles files;
  const auto refused = [&](const std::string& where) {
    return files.refused(R"("axes": {"dataset.batch_size": [8, 16]},
      "report": {"published": {"source": "x", "values": [{"where": )" +
                         where + R"(, "value": 0.5}]}})");
  };
  CHECK(refused(R"({"dataset.batchsize": 8})")
            .find("published.values[0].where: 'dataset.batchsize' is neither") !=
        std::string::npos);
  CHECK(refused(R"({"dataset.batch_size": 9})").find("(8, 16), got 9") != std::string::npos);
  CHECK(refused(R"({"compression.prune.sparsity": 0.7})").ends_with("it holds in no cell"));
  CHECK(refused(R"({"compression.prune.sparsity": 0.5})") == "(no error)");  // of the base
}

TEST_CASE("published numbers stand beside ours") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"dataset.batch_size": [8, 16]}, "seeds": [1, 2],
    "report": {"published": {"source": "the document", "values": [{"where": {"dataset.batch_size": 16}, "value": 0.75}]}})");
  Collected collected;
  collected.failures.resize(plan.runs.size());
  for (std::size_t i = 0; i < plan.runs.size(); ++i)
    collected.results.push_back(config::Json{{"accuracy", {{"integer", 0.8}}}});
  const std::string text = results_markdown(plan, collected);
  CHECK(text.find("| the document | ours minus it |") != std::string::npos);
  CHECK(text.find("| 75.00 | 5.00 |") != std::string::npos);
}

TEST_CASE("a contrast that cannot be drawn is refused before the first run") {
  const ExperimentFiles files;
  const auto has = [&](const std::string& report, const std::string& message) {
    const std::string refused = files.refused(with_report(report));
    CAPTURE(refused);
    CHECK(refused.find(message) != std::string::npos);
  };
  has(R"({"compare": [{"a": {"dataset.batch": 8}, "b": {"dataset.batch": 16}}]})",
      "report.compare[0].a: expected an axis (dataset.batch_size, seed_of)");
  has(R"({"compare": [{"a": {"dataset.batch_size": 9}, "b": {"dataset.batch_size": 16}}]})",
      "expected a point of 'dataset.batch_size' (8, 16), got 9");
  has(R"({"compare": [{"a": {"dataset.batch_size": [8, 16]}, "b": {"dataset.batch_size": 16}}]})",
      "expected one point an axis");
  has(R"({"compare": [{"a": {"dataset.batch_size": 8}, "b": {"seed_of": "x"}}]})",
      "expected points of the same axes as a");
  has(R"({"compare": [{"a": {"dataset.batch_size": 8}, "b": {"dataset.batch_size": 8}}]})",
      "report.compare[0].b: expected two different points, got the same in a and b");
  has(R"({"margin": 0})", "above 0");
}
