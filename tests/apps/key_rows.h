// The two runs per key of a config that key_effect_test.cpp compares, as assignments of --set on
// top of its tiny run: a convolution "conv", batch norm "norm", relu, "pool", flatten and a dense
// "last"; methods "p" (prune) and "q" (quantize); phases "dense" (4 updates) and "small" (6, both
// methods).
#pragma once

#include <string>
#include <vector>

namespace pare {

struct KeyRow {
  enum class Compared {
    bits,             // everything that the runs end with
    bits_or_refusal,  // or why one of them is refused
    metrics,          // the rows of metrics.jsonl, for a key that only reports
    folder,           // the names of a run folder's files, and how much report.html shows
  };
  std::string key;  // as documented; "... (kind = x)" where several entries share a path
  std::vector<std::string> base;    // of both runs
  std::vector<std::string> change;  // of the second, after the base's
  Compared compared = Compared::bits;
};

// `data_folder` holds the data of the tiny run, and others in its folder other/.
std::vector<KeyRow> key_rows(const std::string& data_folder);

}  // namespace pare
