// The archives of CIFAR are unpacked by the program `tar`: it is essential to every Debian, it is
// told which members to take, and it sees only bytes whose checksum was right.
#include "apps/lib/fetch/fetch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "apps/lib/run_program.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

// Exit codes of curl: the server cannot continue a download.
constexpr int kNoRanges = 33, kBadResume = 36;

std::uint64_t size_of(const fs::path& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  return missing ? 0 : size;
}

// "" where the file is the expected one; otherwise what is wrong with it.
std::string fault(const fs::path& path, const RemoteFile& file) {
  const std::uint64_t size = size_of(path);
  if (size != file.bytes) return fmt::format("expected {} bytes, got {}", file.bytes, size);
  const std::string digest = hex(sha256(read_file(path.string(), file.bytes)));
  if (digest == file.sha256) return "";
  return fmt::format("expected SHA-256 {}, got {}", file.sha256, digest);
}

int curl(const std::string& url, const fs::path& part, const RemoteFile& file) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  return run_program({"curl",
                      "--fail",
                      "--location",
                      "--show-error",
                      terminal ? "--progress-bar" : "--silent",
                      "--proto",
                      "=http,https,ftp,file",
                      "--retry",
                      "2",
                      "--connect-timeout",
                      "20",
                      "--speed-limit",
                      "1000",
                      "--speed-time",
                      "60",
                      "--max-filesize",
                      std::to_string(file.bytes),
                      "--continue-at",
                      "-",
                      "--output",
                      part.string(),
                      url});
}

class Fetch {
 public:
  Fetch(const RemoteSet& set, const std::string& to, Console& console)
      : set_(set), folder_(fs::path(to) / set.kind), console_(console) {}

  void run() {
    make_folder(folder_);
    if (unpacked()) return console_.say(set_.kind + " is in " + folder_.string() + " already");
    for (const RemoteFile& file : set_.files) get(file);
    if (!set_.members.empty()) unpack();
    console_.say(set_.kind + " is in " + folder_.string());
  }

 private:
  fs::path place(const RemoteFile& file) const { return folder_ / file.name; }
  fs::path place(const Member& member) const { return folder_ / fs::path(member.path).filename(); }
  fs::path part(const RemoteFile& file) const { return folder_ / ("." + file.name + ".part"); }

  static void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw FailedError(folder.string() + ": cannot create it: " + error.message());
  }

  static void move(const fs::path& from, const fs::path& to) {
    move_file_atomically(from.string(), to.string());
  }

  // The archive is gone by then, so sizes must do.
  bool unpacked() const {
    for (const Member& member : set_.members) {
      if (size_of(place(member)) != member.bytes) return false;
    }
    return !set_.members.empty();
  }

  void get(const RemoteFile& file) {
    if (fs::exists(place(file))) {
      const std::string wrong = fault(place(file), file);
      if (wrong.empty()) return console_.say(file.name + " is there already");
      console_.warn(place(file).string() + ": " + wrong + "; downloading it again");
    }
    std::string failures;
    for (const std::string& mirror : set_.mirrors) {
      const std::string url = mirror + "/" + file.name;
      const std::string failure = download(url, file);
      if (failure.empty()) return move(part(file), place(file));
      failures += "\n  " + url + ": " + failure;
    }
    throw DataError("could not download " + file.name + failures + "\n" + advice());
  }

  // "" or what went wrong.
  std::string download(const std::string& url, const RemoteFile& file) {
    if (size_of(part(file)) > file.bytes) fs::remove(part(file));
    const std::uint64_t before = size_of(part(file));
    console_.say(fmt::format("{} {} ({} bytes)", before > 0 ? "continuing" : "downloading", url,
                             file.bytes));
    int code = before == file.bytes ? 0 : curl(url, part(file), file);
    if (code == kNoRanges || code == kBadResume) {
      console_.say("the server cannot continue a download: starting again");
      fs::remove(part(file));
      code = curl(url, part(file), file);
    }
    if (code != 0) return fmt::format("curl ended with {}", code);
    const std::string wrong = fault(part(file), file);
    if (wrong.empty()) return "";
    fs::remove(part(file));
    // What was continued may have begun with another server's bytes.
    if (before > 0) return download(url, file);
    return wrong;
  }

  std::string advice() const {
    std::string text = "Without a network, bring the files by other means and put them into " +
                       folder_.string() + "/ (./pare fetch then checks them):";
    for (const RemoteFile& file : set_.files)
      text += fmt::format("\n  {}  {} bytes  SHA-256 {}", file.name, file.bytes, file.sha256);
    if (!set_.members.empty()) text += "\nor what is in it:";
    for (const Member& member : set_.members)
      text += " " + fs::path(member.path).filename().string();
    return text + "\nA download that was cut off stays there and is continued by the next attempt.";
  }

  void unpack() {
    const fs::path archive = place(set_.files[0]), out = folder_ / ".unpacked";
    console_.say("unpacking " + archive.string());
    fs::remove_all(out);
    make_folder(out);
    std::vector<std::string> arguments = {
        "tar", "-xzf", archive.string(), "-C", out.string(), "--no-same-owner", "--"};
    for (const Member& member : set_.members) arguments.push_back(member.path);
    const int code = run_program(arguments);
    if (code != 0)
      throw FailedError(fmt::format("tar ended with {} on {}", code, archive.string()));
    for (const Member& member : set_.members) {
      if (size_of(out / member.path) == member.bytes) continue;
      throw DataError(fmt::format("{}: {}: expected {} bytes, got {}", archive.string(),
                                  member.path, member.bytes, size_of(out / member.path)));
    }
    for (const Member& member : set_.members) move(out / member.path, place(member));
    fs::remove_all(out);
    fs::remove(archive);
  }

  const RemoteSet& set_;
  const fs::path folder_;
  Console& console_;
};

}  // namespace

void fetch(const RemoteSet& set, const std::string& to, Console& console) {
  try {
    Fetch(set, to, console).run();
  } catch (const fs::filesystem_error& error) {
    throw FailedError(error.what());
  }
}

}  // namespace pare
