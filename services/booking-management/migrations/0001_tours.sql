-- What the shop offers. A tour's price is asked of the next booking only: a booking keeps the price it was made at.
create table tours (
  id text primary key check (id ~ '^[a-z0-9-]{1,100}$'),
  name text not null,
  description text not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  seats_per_day int not null check (seats_per_day > 0),
  -- IANA name: where the tour's day begins and ends.
  time_zone text not null,
  position int not null unique
);

-- One counter per tour and day, created by its first booking. The check is the promise that a seat is sold once,
-- whatever the code does and however many processes do it.
create table tour_days (
  tour_id text not null references tours (id),
  date date not null,
  seats_total int not null check (seats_total > 0),
  seats_taken int not null,
  primary key (tour_id, date),
  check (seats_taken between 0 and seats_total)
);

-- Two currencies without two decimals are here on purpose: 100 is not the factor between units and minor units.
insert into tours (id, name, description, amount_minor, currency, seats_per_day, time_zone, position) values
  ('mont-saint-michel-at-high-tide', 'Mont-Saint-Michel at High Tide',
   'Cross the bay barefoot with a guide, then watch the sea turn the abbey into an island.',
   12900, 'eur', 12, 'Europe/Paris', 1),
  ('paris-after-dark', 'Paris After Dark',
   'Two hours on the Seine and the quiet streets of the Marais, ending under the lights of the Louvre.',
   4950, 'eur', 16, 'Europe/Paris', 2),
  ('loire-castles-by-bicycle', 'Castles of the Loire by Bicycle',
   'Chambord to Cheverny on small roads, with a picnic from the market of Blois. Bicycle included.',
   8990, 'eur', 10, 'Europe/Paris', 3),
  ('provence-lavender-morning', 'A Lavender Morning in Provence',
   'The fields of Valensole at sunrise, a distillery at work, and breakfast among the bees.',
   7500, 'eur', 8, 'Europe/Paris', 4),
  ('chamonix-glacier-walk', 'Glacier Walk above Chamonix',
   'Rope, crampons and a mountain guide: a day on the Mer de Glace for people who have never done it.',
   21500, 'eur', 6, 'Europe/Paris', 5),
  ('kyoto-temples-and-tea', 'Kyoto: Temples and Tea',
   'The gardens of Daitoku-ji before the crowds, then tea with a master in a house of four mats.',
   14800, 'jpy', 8, 'Asia/Tokyo', 6),
  ('kuwait-bay-by-dhow', 'Kuwait Bay by Dhow',
   'An evening under sail on a wooden dhow, with grilled fish and the skyline at sunset.',
   18500, 'kwd', 20, 'Asia/Kuwait', 7)
on conflict (id) do nothing;
