// What `fetch` can download: the files of the known data sets, where they lie, and what they must
// be. Data only; fetch.h acts on it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pare {

struct RemoteFile {
  std::string name;
  std::uint64_t bytes;
  std::string sha256;  // hex, lower case
};

// A file inside an archive.
struct Member {
  std::string path;
  std::uint64_t bytes;
};

struct RemoteSet {
  std::string kind;                  // as in `dataset.kind`; also the folder of its files
  std::vector<std::string> mirrors;  // folders that hold the files, tried in this order
  std::vector<RemoteFile> files;
  std::vector<Member> members;  // where the one file is a .tar.gz: what is taken out of it
};

std::span<const RemoteSet> remote_sets();

}  // namespace pare
