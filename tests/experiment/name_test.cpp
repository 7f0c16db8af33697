// What runs and experiments may be called: a name becomes a folder and stands in scripts.
#include <doctest/doctest.h>

#include "apps/lib/experiment/shards.h"
#include "tests/experiment/helpers.h"

using namespace pare;

TEST_CASE("an experiment's name names a folder and nothing else") {
  const ExperimentFiles files;
  for (const char* name :
       {"..", "../x", "a/b", ".x", "", "a b", "x\\nrm -r y", "$(x)", "caf\u00e9"}) {
    CAPTURE(name);
    const std::string keys = R"("seeds": [1], "name": ")" + std::string(name) + "\"";
    const std::string message = files.refused(keys);
    CHECK(message.find("expected 1 to 100 letters, digits, '_', '-' or '.'") != std::string::npos);
  }
  CHECK(files.experiment(R"("seeds": [1], "name": "Bits-2.b_3")").name == "Bits-2.b_3");
}

TEST_CASE("a default name is a file's stem without what no name has") {
  CHECK(default_name("configs/bits_and-1.5.json") == "bits_and-1.5");
  CHECK(default_name("a b;$(x).json") == "a_b___x_");
  CHECK(default_name(".json") == "_json");
  CHECK(default_name("x\n#.json") == "x__");
  CHECK(default_name(std::string(300, 'x') + ".json") == std::string(100, 'x'));
  for (const char* file : {"", "/", "..", "caf\u00e9.json"})
    CHECK(is_folder_name(default_name(file)));

  const ExperimentFiles files;
  files.write("x\n$(y).json", R"({"base": "base.json", "seeds": [1]})");
  const Plan plan = make_plan(load_experiment_config(files.file("x\n$(y).json")), {}, false);
  CHECK(slurm_script(plan, {}).find("#SBATCH --job-name=x___y_\n") != std::string::npos);
}
