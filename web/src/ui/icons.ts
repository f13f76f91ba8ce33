// Fetched after the words, by `icon.tsx`. The icons a module or an entity may ask for by name. A name not in this list is shown as a table.
import {
  Activity, Archive, Banknote, Bell, Blocks, BookOpen, Box, Boxes, Briefcase, Building, Building2, Calculator, Calendar, CalendarCheck, CalendarDays, ChartBar, ChartLine, CircleCheck, CircleUser,
  ClipboardCheck, ClipboardList, Clock, Coins, Contact, CreditCard, Database, Factory, File, FileText, Files, Flag, Folder, Gauge, Gift, Globe, Hammer, Handshake, Hash, Heart, House, IdCard, Image, Inbox, Kanban, Key, Landmark,
  Layers, LayoutDashboard, Library, Link, ListChecks, ListTodo, Lock, Mail, Map as MapIcon, MapPin, Megaphone, MessageSquare, Milestone, Network, Newspaper, Package, Palette, Percent, Phone, Plane, Plug, Receipt, RefreshCw,
  Rocket, Ruler, Scale, Scroll, Send, Settings, Shield, Ship, ShoppingBag, ShoppingCart, Star, Store, Table, Tag, Tags, Target, Ticket, Timer, TrendingUp, Trophy, Truck, User, UserCheck, UserPlus, Users, Wallet, Warehouse, Wrench, Zap,
  Award, BadgeCheck, BadgePercent, BedDouble, Bot, Cable, Camera, CircleDollarSign, ClipboardPen, Cog, Component, Crown, DoorOpen, Drama, FileCheck, FileInput, FileSignature, FileSpreadsheet, FlaskConical, FolderTree, GitBranch, GraduationCap, HandCoins, HardHat, HeartHandshake, Lightbulb, ListOrdered, Medal, Music, NotebookPen, PackageCheck, PackageOpen, PartyPopper, PiggyBank, ReceiptText, Repeat, Route, ScanBarcode, ShieldAlert, ShieldCheck, SquareCheckBig, SquareStack, Theater, Umbrella, UserCog, UserRoundSearch, UsersRound, Utensils, Video, Vote, Weight, Workflow, Waves, Sigma, ListTree, NotebookText, Hourglass, BookOpenCheck, CalendarRange, CalendarClock, ArrowLeftRight, Eraser, Waypoints, Shapes,
  type LucideIcon,
} from 'lucide-react'

const known: Record<string, LucideIcon> = {
  Activity, Archive, Banknote, Bell, Blocks, BookOpen, Box, Boxes, Briefcase, Building, Building2, Calculator, Calendar, CalendarCheck, CalendarDays, ChartBar, ChartLine, CircleCheck, CircleUser,
  ClipboardCheck, ClipboardList, Clock, Coins, Contact, CreditCard, Database, Factory, File, FileText, Files, Flag, Folder, Gauge, Gift, Globe, Hammer, Handshake, Hash, Heart, House, IdCard, Image, Inbox, Kanban, Key, Landmark,
  Layers, LayoutDashboard, Library, Link, ListChecks, ListTodo, Lock, Mail, Map: MapIcon, MapPin, Megaphone, MessageSquare, Milestone, Network, Newspaper, Package, Palette, Percent, Phone, Plane, Plug, Receipt, RefreshCw,
  Rocket, Ruler, Scale, Scroll, Send, Settings, Shield, Ship, ShoppingBag, ShoppingCart, Star, Store, Tag, Tags, Target, Ticket, Timer, TrendingUp, Trophy, Truck, User, UserCheck, UserPlus, Users, Wallet, Warehouse, Wrench, Zap,
  Award, BadgeCheck, BadgePercent, BedDouble, Bot, Cable, Camera, CircleDollarSign, ClipboardPen, Cog, Component, Crown, DoorOpen, Drama, FileCheck, FileInput, FileSignature, FileSpreadsheet, FlaskConical, FolderTree, GitBranch, GraduationCap, HandCoins, HardHat, HeartHandshake, Lightbulb, ListOrdered, Medal, Music, NotebookPen, PackageCheck, PackageOpen, PartyPopper, PiggyBank, ReceiptText, Repeat, Route, ScanBarcode, ShieldAlert, ShieldCheck, SquareCheckBig, SquareStack, Theater, Umbrella, UserCog, UserRoundSearch, UsersRound, Utensils, Video, Vote, Weight, Workflow, Waves, Sigma, ListTree, NotebookText, Hourglass, BookOpenCheck, CalendarRange, CalendarClock, ArrowLeftRight, Eraser, Waypoints, Shapes,
}
const byKebab = new Map(Object.entries(known).map(([n, i]) => [n.replace(/([a-z])([A-Z0-9])/g, '$1-$2').toLowerCase(), i]))

export const iconNamed = (name?: string | null): LucideIcon => byKebab.get((name ?? '').toLowerCase().replaceAll('_', '-')) ?? Table
