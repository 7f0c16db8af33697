// Which checkpoint of a run folder is gone on from, and what becomes of those that cannot be read.
#include "apps/lib/resumable.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "framework/base/file.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

std::optional<Resumable> find(const RunFolder& folder) {
  Console console(Console::Level::quiet);
  return find_resumable(folder, tiny_config({}), "hash", console);
}

}  // namespace

TEST_CASE("damaged checkpoints are kept beside what takes their place") {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary.file("run"), RunFolder::IfThere::resume);
  CHECK_FALSE(find(folder));
  write_file_atomically(folder.last_checkpoint(), "damaged");
  CHECK_FALSE(find(folder));
  CHECK_FALSE(std::filesystem::exists(folder.last_checkpoint()));
  CHECK(read_file(folder.last_checkpoint() + ".damaged", 100).size() == 7);
  write_file_atomically(folder.last_checkpoint(), "again");
  CHECK_FALSE(find(folder));
  CHECK(read_file(folder.last_checkpoint() + ".damaged", 100).size() == 7);
  CHECK(read_file(folder.last_checkpoint() + ".damaged.2", 100).size() == 5);
}

TEST_CASE("a checkpoint that is whole but cannot be read ends the run and stays") {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary.file("run"), RunFolder::IfThere::resume);
  save_hdf5(folder.last_checkpoint(), {R"({"format": 1000})", {}});
  const std::string why = error_of([&] { find(folder); });
  CHECK(contains(why, "expected a checkpoint of format 2, got 1000"));
  CHECK(contains(why, "is whole, for its checksum is right, but cannot be read here"));
  CHECK(std::filesystem::exists(folder.last_checkpoint()));
}
