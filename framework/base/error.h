// What can go wrong, and how a program ends because of it.
//
// Two kinds of checks (docs/decisions.md): a wrong config, file or argument throws one of the
// errors below, with a message that says where, what was expected, what came and what to try; our
// own mistake is caught by ensure(). Every application maps Error::code() to its exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace pare {

// The exit codes of all applications. A run stopped by a signal ends with 128 + its number instead.
enum class ExitCode : int {
  done = 0,
  failed = 1,        // full disk, out of memory, no permission
  usage = 2,         // command line or config
  data = 3,          // data set, checkpoint or model missing or damaged
  diverged = 4,      // a NaN or an infinity during training
  verification = 5,  // two computations that must agree bit for bit do not
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

struct FailedError : Error {
  explicit FailedError(const std::string& message) : Error(ExitCode::failed, message) {}
};
struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(ExitCode::usage, message) {}
};
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(ExitCode::data, message) {}
};
struct DivergedError : Error {
  explicit DivergedError(const std::string& message) : Error(ExitCode::diverged, message) {}
};
struct VerificationError : Error {
  explicit VerificationError(const std::string& message) : Error(ExitCode::verification, message) {}
};

// Throws std::logic_error that names the place: the caller of our own code broke its contract.
[[noreturn]] void broken_contract(const char* condition, const char* file, int line);

}  // namespace pare

// Our own mistake, checked in every build: the cost is a compare, the gain is a wrong result that
// never leaves.
#define PARE_ENSURE(condition) \
  ((condition) ? static_cast<void>(0) : ::pare::broken_contract(#condition, __FILE__, __LINE__))
