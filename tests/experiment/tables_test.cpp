// What the tables say where cells are the same runs, differences have no spread, seeds are missing,
// and names are TeX.
#include "apps/lib/experiment/tables.h"

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "apps/lib/experiment/comparison_tables.h"
#include "apps/lib/experiment/holm.h"
#include "apps/lib/experiment/latex.h"
#include "apps/lib/experiment/matrix.h"
#include "tests/experiment/helpers.h"

using namespace pare;
using doctest::Approx;

namespace {

using Points = std::vector<std::size_t>;  // of a cell, one an axis

// Every row's run gets the accuracy that `accuracy` says.
Collected results(const Plan& plan, const std::function<double(const Points&, double)>& accuracy) {
  Collected collected;
  collected.results.resize(plan.runs.size());
  collected.failures.resize(plan.runs.size());
  for (const PlannedRow& row : plan.rows) {
    const double value = accuracy(plan.cells[row.cell].at, static_cast<double>(row.seed));
    collected.results[row.run].emplace(config::Json{{"accuracy", {{"integer", value}}}});
  }
  return collected;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A dense network does not feel the bits.
constexpr const char* kRepeats = R"(
  "axes": {"dataset.batch_size": [8, 16],
           "network": [{"label": "quantized", "set": {}},
                       {"label": "dense", "set": {"phases": [{"name": "dense", "epochs": 2}]}}],
           "compression.int8.weights.bits": [8, 4]},
  "seeds": [1, 2, 3],
  "report": {"compare": [{"name": "batches", "a": {"dataset.batch_size": 8}, "b": {"dataset.batch_size": 16}}]})";

double repeats_accuracy(const Points& at, double seed) {
  if (at[0] == 1) return 0.9;
  if (at[1] == 1) return 0.9 + 0.001 * seed;
  return at[2] == 0 ? 0.909 + 0.001 * seed : 0.9 - 0.001 * seed * seed;
}

}  // namespace

TEST_CASE("comparisons of the same runs are shown twice and counted once") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kRepeats);
  const Comparison comparison = comparisons(plan, results(plan, repeats_accuracy))[0];
  REQUIRE(comparison.cells.size() == 4);
  CHECK(comparison.cells[3].label == "network dense, bits 4");
  CHECK_FALSE(comparison.cells[2].repeats);
  REQUIRE(comparison.cells[3].repeats);
  CHECK(*comparison.cells[3].repeats == 2);
  CHECK(comparison.tests == 3);
  CHECK(comparison.equal_tests == 3);
  const std::vector<CellComparison>& cells = comparison.cells;
  const std::vector<double> adjusted = holm(std::array{*cells[0].t, *cells[1].t, *cells[2].t});
  for (std::size_t i = 0; i < 3; ++i) CHECK(*cells[i].t_holm == adjusted[i]);
  CHECK(*cells[3].t_holm == adjusted[2]);
  CHECK(*cells[3].equal_holm == *cells[2].equal_holm);

  CHECK(comparison.distinct == 3);
  CHECK(comparison.positive == 2);
  CHECK(comparison.negative == 1);
  // Over three cells: 0.010, 0.009 and 0.006, each by 3.
  CHECK(comparison.overall.mean == Approx(0.025 / 9));
  const ResultTable table = comparison_table(plan, comparison);
  CHECK(table.rows.size() == 4);
  CAPTURE(table.note);
  CHECK(holds(table.note, "correction over the 3 distinct comparisons of this table"));
  CHECK(holds(table.note,
              "Positive in 2 cells, negative in 1. Averaged over the cells, seed by seed: +0.28, "
              "95 % interval 0.11 to 0.45, p = 0.0202."));
}

TEST_CASE("seeds that one cell lacks are no part of the average over cells") {
  const ExperimentFiles files;
  const Plan plan = files.plan(kRepeats);
  Collected collected = results(plan, repeats_accuracy);
  collected.results[plan.rows[0].run].reset();
  const Comparison two_seeds = comparisons(plan, collected)[0];
  CHECK(two_seeds.cells[0].seeds == std::vector<std::uint64_t>{2, 3});
  CHECK(two_seeds.overall.n == 2);
  CHECK(two_seeds.overall.mean == Approx(0.0025));
  collected.results[plan.rows[1].run].reset();
  const Comparison one_seed = comparisons(plan, collected)[0];
  CHECK(one_seed.overall.n == 1);
  CHECK_FALSE(holds(comparison_table(plan, one_seed).note, "Averaged"));
}

TEST_CASE("Holm's correction leaves out cells that have no p") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"dataset.batch_size": [8, 16], "compression.int8.weights.bits": [8, 4, 2]},
    "seeds": [1, 2, 3],
    "report": {"compare": [{"a": {"dataset.batch_size": 8}, "b": {"dataset.batch_size": 16}}]})");
  const Collected collected = results(plan, [](const Points& at, double seed) {
    if (at[0] == 1) return 0.9;
    return at[1] == 0 ? 0.91 : at[1] == 1 ? 0.9 + 0.001 * seed : 0.9 - 0.002 * seed * seed;
  });
  const Comparison comparison = comparisons(plan, collected)[0];
  const std::vector<CellComparison>& cells = comparison.cells;
  REQUIRE(cells.size() == 3);
  CHECK_FALSE(cells[0].t);
  CHECK_FALSE(cells[0].t_holm);
  CHECK(comparison.tests == 2);
  const std::vector<double> adjusted = holm(std::array{*cells[1].t, *cells[2].t});
  CHECK(*cells[1].t_holm == adjusted[0]);
  CHECK(*cells[2].t_holm == adjusted[1]);
}

TEST_CASE("differences that are equal on paper are tied") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"dataset.batch_size": [8, 16]}, "seeds": [1, 2, 3, 4, 5, 6, 7, 8],
    "report": {"compare": [{"a": {"dataset.batch_size": 8}, "b": {"dataset.batch_size": 16}}]})");
  constexpr double kA[] = {0.9712, 0.9760, 0.9801, 0.9634, 0.9555, 0.9421, 0.9903, 0.9700},
                   kB[] = {0.9708, 0.9756, 0.9797, 0.9630, 0.9551, 0.9417, 0.9899, 0.9704};
  CHECK(0.9712 - 0.9708 != 0.9634 - 0.9630);
  Collected collected = results(plan, [&](const Points& at, double seed) {
    const auto i = static_cast<std::size_t>(seed) - 1;
    return at[0] == 0 ? kA[i] : kB[i];
  });
  // Seven times 0.0004, once -0.0004: eight ties, of which one is negative.
  const CellComparison tied = comparisons(plan, collected)[0].cells[0];
  CHECK(*tied.ranks == Approx(2 * (1 + 8) / 256.0));
  for (const PlannedRow& row : plan.rows) {
    if (row.seed == 8) collected.results[row.run].reset();
  }
  CHECK_FALSE(comparisons(plan, collected)[0].cells[0].t);
}

TEST_CASE("the table says what is the same, and what was not tested") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"compression.int8.weights.bits": [8, 4],
             "network": [{"label": "zero", "set": {}},
                         {"label": "shift", "set": {"loss.label_smoothing": 0.1}},
                         {"label": "spread", "set": {"loss.label_smoothing": 0.2}},
                         {"label": "dense", "set": {"phases": [{"name": "dense", "epochs": 2}]}}]},
    "seeds": [1, 2, 3],
    "report": {"compare": [{"name": "bits", "a": {"compression.int8.weights.bits": 8},
                            "b": {"compression.int8.weights.bits": 4}}]})");
  const Collected collected = results(plan, [](const Points& at, double seed) {
    if (at[0] == 1 || at[1] == 0 || at[1] == 3) return 0.9;
    return at[1] == 1 ? 0.901 : 0.9005 + 0.0001 * seed;
  });
  const Comparison comparison = comparisons(plan, collected)[0];
  const ResultTable table = comparison_table(plan, comparison);
  using Row = std::vector<std::string>;
  CHECK(table.columns == Row{"cell", "pairs", "difference", "95 % interval", "p", "Holm", "ranks",
                             "ranks, Holm", "equal", "equal, Holm"});
  REQUIRE(table.rows.size() == 4);
  CHECK(table.rows[0] == Row{"network zero", "3", "0.00", "0.00 to 0.00", "1.0000", "1.0000", "-",
                             "-", "same", "-"});
  CHECK(table.rows[1] ==
        Row{"network shift", "3", "0.10", "0.10 to 0.10", "-", "-", "-", "-", "-", "-"});
  CHECK(table.rows[2] == Row{"network spread", "3", "0.07 ± 0.01", "0.05 to 0.09", "0.0067",
                             "0.0135", "-", "-", "0.0175", "0.0175"});
  CHECK(table.rows[3] ==
        Row{"network dense", "3", "0.00", "0.00 to 0.00", "-", "-", "-", "-", "same runs", "-"});
  CHECK(comparison.positive == 2);
  CHECK(comparison.distinct == 3);
  CHECK(holds(table.note, "over 1 distinct comparison."));
}

TEST_CASE("the best of a row are all that are as good, and missing seeds are counted") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"dataset.batch_size": [8, 16, 24], "compression.int8.weights.bits": [8, 4, 2],
             "compression.prune.sparsity": [0.5, 0.8, 0.9]},
    "seeds": [1, 2],
    "report": {"compare": [{"a": {"dataset.batch_size": 8}, "b": {"dataset.batch_size": 16}}]})");
  // Two best of the first row, whose means differ in their last bit only; all of the other rows.
  Collected collected = results(plan, [](const Points& at, double seed) {
    if (at[1] != 0 || at[2] != 0) return 0.15;
    return at[0] == 0 ? 0.1 * seed : at[0] == 1 ? 0.15 : 0.1;
  });
  const std::optional<ResultMatrix> tied = matrix_of_cells(plan, collected);
  REQUIRE(tied);
  REQUIRE(tied->rows.size() == 9);
  CHECK(tied->rows[0].cells[0]->text == "15.00†");
  CHECK(tied->rows[0].cells[1]->text == "15.00†");
  CHECK(tied->rows[0].cells[2]->text == "10.00");
  for (const auto& cell : tied->rows[1].cells) CHECK(cell->text == "15.00");

  REQUIRE(plan.rows[0].seed == 1);
  collected.results[plan.rows[0].run].reset();
  const std::optional<ResultMatrix> missing = matrix_of_cells(plan, collected);
  REQUIRE(missing);
  CHECK(missing->rows[0].cells[0]->text == "20.00† (n=1)");
  CHECK(missing->rows[0].cells[1]->text == "15.00");
  const std::optional<ResultMatrix> differences = matrix_of(plan, comparisons(plan, collected)[0]);
  REQUIRE(differences);
  CHECK(differences->rows[0].cells[0]->text == "+5.00 (n=1)");
  CHECK(differences->rows[0].cells[1]->text == "0.00");
}

TEST_CASE("several rows of plain training say for how long, and beside which cells") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"(
    "axes": {"length": [{"label": "short", "set": {}},
                        {"label": "long", "set": {"phases": [
                            {"name": "dense", "epochs": 2},
                            {"name": "prune", "epochs": 3, "apply": ["prune"]}]}}]},
    "seeds": [1], "share": "dense")");
  const ResultTable table =
      main_table(plan, results(plan, [](const Points&, double) { return 0.5; }));
  REQUIRE(table.rows.size() == 4);
  CHECK(table.rows[2][0] == "dense, same total budget, 3.5 epochs, length short (1 cell)");
  CHECK(table.rows[3][0] == "dense, same total budget, 5 epochs, length long (1 cell)");
  const Plan bits = files.plan(R"(
    "axes": {"dataset.batch_size": [8, 16], "compression.int8.weights.bits": [8, 4, 2]}, "seeds": [1])");
  const ResultTable rows =
      main_table(bits, results(bits, [](const Points&, double) { return 0.5; }));
  REQUIRE(rows.rows.size() == 8);
  CHECK(rows.rows[7][0] == "dense, same total budget, 3.5 epochs, batch_size 16 (3 cells)");
}

TEST_CASE("a cell stands against plain training with its budget, seed by seed") {
  const ExperimentFiles files;
  const Plan plan = files.plan(R"("axes": {"phases": [
      {"label": "as it is", "set": {}},
      {"label": "nothing", "set": {"phases": [{"name": "dense", "epochs": 2}]}}]}, "seeds": [1, 2, 3])");
  Collected collected = results(
      plan, [](const Points&, double seed) { return seed == 1 ? 0.25 : 0.5 + 0.0625 * seed; });
  REQUIRE(plan.dense.size() == 1);
  for (const std::size_t run : plan.dense[0].runs)
    collected.results[run].emplace(config::Json{{"accuracy", {{"integer", 0.5}}}});
  CHECK_FALSE(plan.dense[0].is_cell);
  const auto text = [&](std::size_t row) {
    const ResultTable table = main_table(plan, collected);
    REQUIRE(table.columns[4] == "against dense");
    return table.rows[row][4];
  };
  CHECK(text(0) == "+2.08 ± 23.66");  // -25, +12.5, +18.75
  CHECK(text(1).empty());             // it compresses nothing
  CHECK(text(2).empty());             // plain training itself
  collected.results[plan.dense[0].runs[0]].reset();
  CHECK(text(0) == "+15.62 ± 4.42");  // seeds that both have
  const std::string csv = results_csv(plan, collected);
  CHECK(holds(csv, ",1," + plan.runs[*plan.rows[0].dense].hash + ","));
  CHECK(holds(csv, plan.runs[plan.rows[3].run].hash + ",nothing,1,,"));
}

TEST_CASE("a note is the first remark, on one line") {
  const ExperimentFiles files;
  const Plan plan =
      files.plan(R"("seeds": [1], "report": {"dense": false, "note": "first\nsecond"})");
  const Collected collected = results(plan, [](const Points&, double) { return 0.5; });
  CHECK(result_remarks(plan, collected).at(0) == "first second");
  CHECK(holds(results_latex(plan, collected), "% first second\n"));
}

TEST_CASE("LaTeX is harmless and says what has to be known") {
  CHECK(latex_escaped("a|b 3 × 4 ≤ 5 ≥ −2 µ …†") ==
        "a\\textbar{}b 3 $\\times$ 4 $\\le$ 5 $\\ge$ $-$2 $\\mu$ \\ldots{}$\\dagger$");
  CHECK(latex_escaped("--smoke\tñ 日\xff") == "-{}-smoke ñ ??");
  const ExperimentFiles files;
  const ExperimentConfig experiment = files.experiment(R"(
    "axes": {"[mode]": [{"label": "[x]", "set": {}}, {"label": " *y", "set": {"loss.label_smoothing": 0.1}}]},
    "seeds": [1, 2], "report": {"dense": false})");
  const Plan plan = make_plan(experiment, {}, true);
  Collected collected = results(plan, [](const Points&, double) { return 0.5; });
  (*collected.results[plan.rows[0].run])["dataset"] = {{"kind", "digits"}, {"requested", "mnist"}};
  collected.results[plan.rows[3].run].reset();
  const std::string text = results_latex(plan, collected);
  CAPTURE(text);
  CHECK(holds(text, "\\toprule\n  {}[mode] & seeds"));
  CHECK(holds(text, "\\midrule\n  {}[x] & 2 & "));
  CHECK(holds(text, "\\\\\n  {} *y & 1 of 2 & "));
  CHECK(holds(text, "% 3 of 4 runs are finished.\n% These are `--smoke` runs: "));
  CHECK(
      holds(text, "% The data set is \"digits\" instead of \"mnist\" in 1 of 3 finished runs.\n"));
  CHECK(holds(text, "(Student's t). 3 of 4 runs are finished. These are '-{}-smoke' runs: "));
  CHECK(holds(text, "in 1 of 3 finished runs.}\n"));
}
