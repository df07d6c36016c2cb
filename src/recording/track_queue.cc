#include "recording/track_queue.h"

#include <utility>

namespace sluice::recording {

void TrackQueue::add(const std::shared_ptr<Track>& track) {
  if (std::exchange(track->is_queued, true)) return;
  const auto user = users_.try_emplace(track->subject.user).first;
  user->second.tracks.push_back(track);
  if (user->second.tracks.size() == 1) turns_.push_back(user);
}

std::shared_ptr<Track> TrackQueue::take() {
  const Users::iterator user = turns_.front();
  turns_.pop_front();
  std::deque<std::shared_ptr<Track>>& tracks = user->second.tracks;
  std::shared_ptr<Track> track = std::move(tracks.front());
  tracks.pop_front();
  track->is_queued = false;
  if (!tracks.empty()) turns_.push_back(user);
  return track;
}

bool TrackQueue::put(const std::shared_ptr<Track>& track, Track::Piece&& piece) {
  User& user = users_[track->subject.user];
  if (!has_room(*track, user)) return false;
  const std::size_t bytes = piece.size();
  track->pieces.push_back(std::move(piece));
  track->queued_bytes += bytes;
  user.queued_bytes += bytes;
  queued_bytes_ += bytes;
  add(track);
  return true;
}

bool TrackQueue::has_room(const Track& track, const User& user) const {
  if (track.queued_bytes < kAlwaysTaken) return true;
  return track.queued_bytes < kMaxOfOne && user.queued_bytes < kMaxOfUser &&
         queued_bytes_ < kMaxOfAll;
}

void TrackQueue::await_room(const std::shared_ptr<Track>& track) {
  if (!std::exchange(track->is_waiting, true)) {
    users_[track->subject.user].waiting.push_back(track);
  }
}

void TrackQueue::release(Track& track, std::size_t bytes) {
  const auto owner = users_.find(track.subject.user);
  User& user = owner->second;
  const bool were_all_full = queued_bytes_ >= kMaxOfAll;
  track.queued_bytes -= bytes;
  user.queued_bytes -= bytes;
  queued_bytes_ -= bytes;
  if (were_all_full && queued_bytes_ < kMaxOfAll) {
    for (auto& [name, other] : users_) tell_waiting(other);
  } else {
    tell_waiting(user);
  }
  if (user.queued_bytes == 0 && user.tracks.empty()) users_.erase(owner);
}

void TrackQueue::tell_waiting(User& user) {
  std::erase_if(user.waiting, [&](const std::shared_ptr<Track>& track) {
    if (!has_room(*track, user)) return false;
    track->is_waiting = false;
    if (track->changed) track->changed();
    return true;
  });
}

}  // namespace sluice::recording
