// A library to put in front of the C library (LD_PRELOAD): counts a program's calls that write
// files, and makes chosen ones fail. The programs under test know nothing of it.
//
//   PARE_FAULT_PATHS=checkpoints/   only files whose path holds this text
//   PARE_FAULT_LOG=FILE             one line per counted call: its number, its name, the path
//   PARE_FAULT=FIRST-LAST:WHAT      what happens to the counted calls FIRST to LAST:
//                                   ENOSPC, EIO, EROFS, EACCES, EDQUOT, EMFILE, EINTR (once each);
//                                   short: a write of half the bytes; kill: SIGKILL before the call
//
// Counted: open (for writing, or of a folder), write, fsync, rename and close. One thread writes.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kDescriptors = 4096;
constexpr int kShort = -1, kKill = -2;

struct Fault {
  long first = 0, last = 0;
  int what = 0;  // an errno, kShort or kKill
};

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int real_open(const char* path, int flags, unsigned mode) {
  static const auto function = next<int (*)(const char*, int, ...)>("open");
  return function(path, flags, mode);
}
ssize_t real_write(int file, const void* bytes, std::size_t count) {
  static const auto function = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  return function(file, bytes, count);
}
int real_close(int file) {
  static const auto function = next<int (*)(int)>("close");
  return function(file);
}

int parse_what(const char* word) {
  struct Name {
    const char* name;
    int what;
  };
  constexpr Name kNames[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EROFS", EROFS},
                             {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"EMFILE", EMFILE},
                             {"EINTR", EINTR},   {"short", kShort},  {"kill", kKill}};
  for (const Name& known : kNames) {
    if (std::strcmp(known.name, word) == 0) return known.what;
  }
  std::fprintf(stderr, "PARE_FAULT: unknown '%s'\n", word);
  std::abort();
}

Fault parse_fault(const char* text) {
  Fault fault;
  char word[16] = "";
  if (!text) return fault;
  if (std::sscanf(text, "%ld-%ld:%15s", &fault.first, &fault.last, word) != 3) std::abort();
  fault.what = parse_what(word);
  return fault;
}

// What is known of the process under test.
struct Watch {
  const char* paths = std::getenv("PARE_FAULT_PATHS");
  const char* log = std::getenv("PARE_FAULT_LOG");
  Fault fault = parse_fault(std::getenv("PARE_FAULT"));
  long calls = 0;
  char* open_paths[kDescriptors] = {};

  static Watch& instance() {
    static Watch watch;
    return watch;
  }

  bool concerns(const char* path) const { return paths && path && std::strstr(path, paths); }
  const char* path_of(int file) const {
    return file >= 0 && file < kDescriptors ? open_paths[file] : nullptr;
  }
  void opened(int file, const char* path) {
    if (file >= 0 && file < kDescriptors) open_paths[file] = strdup(path);
  }
  void closed(int file) {
    if (!path_of(file)) return;
    std::free(open_paths[file]);
    open_paths[file] = nullptr;
  }

  // Counts a call; what shall happen to it: 0 nothing, else Fault::what.
  int count(const char* call, const char* path) {
    ++calls;
    if (log) {
      char line[512];
      const int size = std::snprintf(line, sizeof line, "%ld %s %s\n", calls, call, path);
      const int file = real_open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
      if (size > 0) [[maybe_unused]]
        const ssize_t ignored = real_write(file, line, static_cast<std::size_t>(size));
      real_close(file);
    }
    if (calls < fault.first || calls > fault.last) return 0;
    if (fault.what == kKill) kill(getpid(), SIGKILL);
    return fault.what;
  }
};

int failed(int error) {
  errno = error;
  return -1;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
  va_end(arguments);
  Watch& watch = Watch::instance();
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY);
  if (!writes || !watch.concerns(path)) return real_open(path, flags, mode);
  const int what = watch.count("open", path);
  if (what > 0) return failed(what);
  const int file = real_open(path, flags, mode);
  watch.opened(file, path);
  return file;
}

ssize_t write(int file, const void* bytes, std::size_t count) {
  Watch& watch = Watch::instance();
  const char* path = watch.path_of(file);
  if (!path) return real_write(file, bytes, count);
  const int what = watch.count("write", path);
  if (what > 0) return failed(what);
  return real_write(file, bytes, what == kShort && count > 1 ? count / 2 : count);
}

int fsync(int file) {
  static const auto function = next<int (*)(int)>("fsync");
  Watch& watch = Watch::instance();
  const char* path = watch.path_of(file);
  const int what = path ? watch.count("fsync", path) : 0;
  return what > 0 ? failed(what) : function(file);
}

int rename(const char* from, const char* to) {
  static const auto function = next<int (*)(const char*, const char*)>("rename");
  Watch& watch = Watch::instance();
  const int what = watch.concerns(to) ? watch.count("rename", to) : 0;
  return what > 0 ? failed(what) : function(from, to);
}

// The file is closed in any case, as Linux does it.
int close(int file) {
  Watch& watch = Watch::instance();
  const char* path = watch.path_of(file);
  const int what = path ? watch.count("close", path) : 0;
  watch.closed(file);
  const int result = real_close(file);
  return what > 0 ? failed(what) : result;
}

}  // extern "C"
