// TrackQueue: whose recording is written next, and who may queue more. Users take turns, and so do
// the recordings of each, so who makes much holds up only himself. The caller locks.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "recording/track.h"

namespace sluice::recording {

class TrackQueue {
 public:
  /// So much is taken of a recording whatever waits of others. The sum of that is bounded by how
  /// many sessions there may be.
  static constexpr std::size_t kAlwaysTaken = std::size_t{16} << 10;
  static constexpr std::size_t kMaxOfOne = std::size_t{1} << 20;
  static constexpr std::size_t kMaxOfUser = std::size_t{16} << 20;
  static constexpr std::size_t kMaxOfAll = std::size_t{64} << 20;

  bool is_empty() const { return turns_.empty(); }
  /// Has its turn some time; once, however often it was added before.
  void add(const std::shared_ptr<Track>& track);
  /// Whose turn it is. Not empty.
  std::shared_ptr<Track> take();

  /// Whether there is room for it.
  bool put(const std::shared_ptr<Track>& track, Track::Piece&& piece);
  /// Bytes of its pieces are queued no more. Tells those that wait and have room now.
  void release(Track& track, std::size_t bytes);
  /// It is told when there is room.
  void await_room(const std::shared_ptr<Track>& track);

 private:
  struct User {
    std::deque<std::shared_ptr<Track>> tracks;
    std::vector<std::shared_ptr<Track>> waiting;
    std::size_t queued_bytes = 0;
  };
  using Users = std::map<std::string, User, std::less<>>;

  bool has_room(const Track& track, const User& user) const;
  void tell_waiting(User& user);

  Users users_;  // those of whom something is queued
  std::deque<Users::iterator> turns_;
  std::size_t queued_bytes_ = 0;
};

}  // namespace sluice::recording
