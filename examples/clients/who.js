// Who else is in the room: the names that the others show on a channel of any name.
export function who(connection, room, name, show) {
  const presence = connection.getPresence(room);

  presence.on('receive', () => show(Object.values(presence.remotePresences).map(({ name }) => name).sort()));
  presence.subscribe();
  presence.create().submit({ name });
}
